"""How a torch network learns: the loop, torch's optimizers, and what the machine can do.

What to do stands in `phases`, so a recipe can be read, changed and printed without torch.
"""
