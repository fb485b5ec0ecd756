"""`siklus demo`: a small agency goes through a whole year in virtual time, for real.

`people` is the cast, `year` the script, `office` and `passage` are what it is played with,
`count` and `tables` tell what came of it. `kelurahan` is a smaller one beside it, which is rated
by numbers and heard by `citizens`.
"""
