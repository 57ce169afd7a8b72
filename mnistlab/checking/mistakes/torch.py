"""Mistakes of networks and training loops in PyTorch."""

from mnistlab.checking.mistakes.mistake import entries

TORCH = entries("""
softmax-before-loss
the network ends in softmax, and the loss applies it again: the loss cannot reach 0
What does the loss of PyTorch expect: scores or probabilities?
Do the rows of the output sum to 1? Should they?
= the network returns scores
? Print one row of the output and its sum.

wrong-layers
the layers are not those that the task names
Print the network, and compare line by line.
Compare the number of parameters of each layer.
= conv 1-32 3x3, ReLU, pool; conv 32-64 3x3, ReLU, pool; linear 3136-128, ReLU, dropout; 128-10
? Print the network.

relu-missing
an activation is missing between two layers
Which values does the next layer receive?
Go through forward and count the activations.
= conv, ReLU, pool; conv, ReLU, pool; linear, ReLU, dropout; linear
? Which layers have an activation?

dropout-in-evaluation
the output changes from call to call in evaluation mode
Which layer is random, and when should it be?
A function does not know the mode of the network, a module does.
= in evaluation mode the output is the same every time
? Call the network twice in evaluation mode.

dropout-missing
the output never changes in training mode: there is no dropout
Which layer is random in training?
Is it used in forward, or only made in __init__?
= hidden values pass dropout 0.5 in training mode
? Call the network twice in training mode.

gradients-not-zeroed
gradients of earlier batches are still in the sum
What does backward do with a gradient that is there already?
Which call is missing before backward?
= the gradient of a step is that of its batch
? What is in the gradients before backward?

optimizer-not-stepped
the optimizer makes no step
Which call changes the weights?
Print a weight before and after one batch.
= w changes at every step
? Does anything in the loop change the weights?

training-mode-in-validation
the network is in training mode when it is validated: dropout and batch normalisation disturb it
Which mode has the network when it meets validation images?
Where is the mode changed, and where back?
= train() before training, eval() before validation
? In which mode is the network?

evaluation-mode-in-training
the network is in evaluation mode when it is trained: dropout never acts
Which mode has the network in the second epoch?
Where is the mode changed back after validation?
= train() before training, eval() before validation
? In which mode is the network?

validation-with-gradients
validation builds the graph of gradients, which takes time and memory
Which context switches gradients off?
Nothing of validation is needed for a backward pass.
= validation needs no gradients
? Is requires_grad of the output true in validation?

one-model-for-all
the optimizers do not start from the same weights
With which weights does the second optimizer begin?
What makes two new networks equal?
= every optimizer starts from the same weights
? Where does each optimizer begin?

backbone-not-frozen
layers are trained that should be frozen
For which parameters is requires_grad true?
List their names before and after unfreeze_layers.
= only the head and the input convolution are trained at first
? Which parameters are trained?

nothing-unfrozen
unfreeze_layers(n) leaves the last blocks frozen
For which parameters is requires_grad true after the call?
Which end of the list of blocks is the last?
= after unfreeze_layers(n) the last n blocks are trained
? Which parameters are trained?

wrong-blocks-unfrozen
unfreeze_layers(n) unfreezes other blocks than the last n
List the names of the parameters that are trained.
Which end of the list of blocks is the last? How many are there?
= after unfreeze_layers(n) the last n blocks are trained, the others are not
? Which parameters are trained?

head-frozen
the new head is frozen
Which layer must learn the new classes?
In which order are layers frozen and replaced?
= the head is always trained
? Which parameters are trained?

labels-not-seen
fit does not keep the classes: classes_ is missing
What do scikit-learn's functions ask a classifier for?
Names of what fit learns end in an underscore.
= after fit, classes_ holds the sorted labels
? Which attributes does fit set?

work-in-init
the constructor changes or checks its arguments: clone and grid search need them as they were given
What does get_params return after construction?
__init__ stores; fit works.
= __init__ stores every argument under its own name, unchanged
? What does the constructor do?

fit-returns-nothing
fit does not return the classifier
What does `clf.fit(X, y).predict(X)` need?
Look at the last line of fit.
= fit returns self
? What does fit return?

labels-as-numbers
predict returns numbers from 0, not the labels that fit was given
Fit with the labels 3, 5 and 8: what does predict answer?
The network counts from 0. What do you do with its answer?
= predict answers in the labels of fit
? Which labels does predict return?
""")
