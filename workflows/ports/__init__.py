"""What workflows ask of the world: typed stubs of the activities, by the workflow that asks.

`activities/` holds classes whose methods carry the same names; `services/worker` wires them.
"""
