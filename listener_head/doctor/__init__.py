"""`listener_head doctor`: what of this computer the nodes would trip over, and what to do about it.

One module per subject; each check is a function without required arguments that returns a `Finding`.
`checks` lists them, `run` runs each in a process of its own, and `report` shows what they found.
"""
