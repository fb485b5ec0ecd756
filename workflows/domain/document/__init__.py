"""The official document of an evaluation: what it shows, who signed it, what its code proves.

Layout, words and files are others' business; everything that a check rests on is here.
"""
