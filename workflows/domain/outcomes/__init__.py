"""What follows from a final result: the policy's rules, which of them hold, the plans they open.

No rule here computes pay: a predicate is published with its policy, and payroll decides.
"""
