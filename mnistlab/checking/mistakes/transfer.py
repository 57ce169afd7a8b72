"""Mistakes of transfer learning: what is frozen, and what is trained."""

from mnistlab.checking.mistakes.mistake import entries

TRANSFER = entries("""
no-pretrained-weights
the network is made without pretrained weights: there is nothing to transfer
Which argument asks for the pretrained weights?
What is a frozen network worth whose weights are random?
= the features start from pretrained weights

not-frozen
the pretrained part is not frozen
Which parameters have requires_grad, after the network is made?
Does the line that freezes reach every parameter of the pretrained part?
= requires_grad is False for every pretrained parameter

head-frozen
a new layer is frozen: it keeps its random weights
Which parameters have requires_grad, after the network is made?
What comes first: freezing, or making the new layers?
= requires_grad is True for every new parameter

frozen-statistics
the running averages of frozen batch normalisations change in training
Compare the buffers before and after a forward pass in training mode.
Which mode do the frozen blocks need, whatever mode the rest is in?
= a frozen block stays in evaluation mode

train-returns-nothing
train() does not return the network
What does `model = Model().eval()` hold?
What does train() of nn.Module return?
= train() returns self

evaluation-mode-broken
after eval() parts of the network are still in training mode
Print `training` of every module after eval().
What does eval() call, and with which argument?
= eval() puts every module into evaluation mode

unfreezes-nothing
unfreeze_layers unfreezes nothing
Count the parameters with requires_grad before and after.
requires_grad belongs to parameters. What happens if a module is given an attribute of that name?
= the last n blocks train

unfreezes-first
the first blocks are unfrozen instead of the last ones
Which blocks have requires_grad afterwards?
Which end of the network has the most special features?
= the last n blocks train

unfreezes-all
the whole pretrained part is unfrozen, whatever the number
Which blocks have requires_grad afterwards?
Where does the number appear in your code?
= the last n blocks train

zero-unfreezes-all
unfreeze_layers(0) unfreezes everything
What does the slice give for n = 0?
Minus zero is zero.
= n = 0: no block trains

unfreezes-other-count
another number of blocks is unfrozen than asked for
Count the unfrozen blocks for n = 1, 2, 3.
Check both ends of the slice or range.
= the last n blocks train

unfreezes-not-last
the unfrozen blocks are not the last ones
Which blocks have requires_grad afterwards?
Print the indices of the loop.
= the last n blocks train

head-refrozen
unfreeze_layers freezes a new layer
Which parameters have requires_grad afterwards?
Everything is frozen first. What is unfrozen again?
= the new layers always train

statistics-after-unfreezing
after unfreeze_layers the blocks that stay frozen change their running averages
Compare the buffers of the first block before and after a step.
What does train() do to blocks that were not unfrozen?
= a frozen block stays in evaluation mode
""")
