"""Mistakes of training loops in PyTorch, and of the comparison of optimizers."""

from mnistlab.checking.mistakes.mistake import entries

LOOPS = entries("""
gradients-add-up
gradients of earlier batches are never set to zero: they add up
Print the gradient of one weight after each batch.
What does backward() do with a gradient that is already there?
= each step uses the gradient of its own batch

zeroed-once
gradients are set to zero once, not for every batch
Print the gradient of one weight after each batch.
Inside which loop is the line?
= each step uses the gradient of its own batch

zeroed-before-step
the gradients are set to zero between backward and step: the step has nothing to use
Print the gradient of one weight just before the step.
In which order do the lines of one batch come?
= forward, backward, step

step-before-backward
the step comes before the backward pass: it uses an older gradient, or none
Print the gradient of one weight just before the step.
In which order do the lines of one batch come?
= forward, backward, step

backward-missing
there is no backward pass: the step has no gradient
Print the gradient of one weight just before the step.
Which line computes gradients?
= forward, backward, step

step-missing
the optimizer makes no step: the weights never change
Print a weight before and after an epoch.
Which line changes the weights?
= forward, backward, step

step-per-epoch
there is one step per epoch, not one per batch
Count the steps of one epoch.
Inside which loop is the line?
= one step per batch

several-steps
one batch makes more than one step
Count the steps of one epoch.
Which call makes a step beside the one you see?
= one step per batch

loss-times-images
the loss is multiplied by the number of images before the backward pass
How large is the step, compared with that of the mean loss?
Where does the number of images belong: in the step or in the sum for the report?
= the gradient is that of the mean loss

loss-divided-again
the loss is a mean already, and is divided once more before the backward pass
How large is the step, compared with that of the mean loss?
What does the criterion do with the losses of the images of a batch?
= the gradient is that of the mean loss

scores-softmaxed
the scores pass softmax before nn.CrossEntropyLoss, which applies it again
What does nn.CrossEntropyLoss expect: scores or probabilities?
How small can the loss become if its input lies between 0 and 1?
= loss = criterion(scores, labels)

criterion-swapped
the criterion receives the labels first and the scores second
Which of the two comes first?
Look at the shapes of both arguments.
= loss = criterion(scores, labels)

batch-unpacked-wrongly
the network receives the labels instead of the images
In which order does the loader give images and labels?
Print the shape of what the network receives.
= for images, labels in loader

loop-labels-wrong
the criterion receives labels of other images
Compare the labels given to the criterion with those of the loader.
What happens to the labels between the loader and the criterion?
= image i keeps label i

loss-cut-off
the loss has lost its record before backward: there is nothing to go back through
What type has the loss in the line of backward()?
Which of item, detach, data and numpy appears before backward()?
= backward() starts from the tensor that the criterion returned

eval-missing
validation runs in training mode: dropout and batch normalisation behave as in training
In which mode is the network when it sees validation images?
Which call changes the mode?
= evaluation mode for validation

train-not-restored
after the first validation the network trains on in evaluation mode
In which mode is the network in the second epoch?
Where is the call that sets training mode: before the loop or in it?
= training mode for every training epoch

trained-in-evaluation-mode
the network trains in evaluation mode
In which mode is the network when it sees training images?
Which call changes the mode?
= training mode for training

validation-with-gradients
validation records everything for a backward pass that never comes
What does PyTorch remember during a forward pass, and what for?
Which context switches the record off?
= no gradients while validating

loop-validation-trained
validation images change the weights
Compare the weights before and after validation.
Which lines of the training epoch must not be in the validation?
= validation images change no weights

validated-on-training
the validation uses the training images
Which loader does the validation loop over?
What would a network that learned all by heart reach?
= validation uses the validation images

validation-missing
the validation images are never used
Which loader does the second part of an epoch loop over?
Look for the name of the validation loader.
= validation uses the validation images

mean-of-batches
the mean of the batches' means is not the mean over the images: the last batch is smaller
With batches of 4, 4 and 2 images, what weight does each image have?
What should be added up, and what should it be divided by?
= sum of the losses of all images / number of images

not-divided
the sum over the batches is not divided
What happens to this number if the data set doubles?
How many images were added up?
= sum of the losses of all images / number of images

divided-twice
the batches' means are added up, and then divided by the number of images
Is what you add up a mean or a sum?
With batches of 4 images, by which factor is the result too small?
= sum of the losses of all images / number of images

divided-by-batches
what is added up over the images is divided by the number of batches
Print the value. Is it larger than it can be?
How many terms were added up?
= sum over all images / number of images

batch-size-assumed
every batch is taken to have the same size: the last one is smaller
How many images has the last batch?
Where does the number of images of a batch come from?
= sum of the losses of all images / number of images

last-batch-only
only the last batch of the epoch is reported
Print the value after each batch.
Is the value added up, or replaced?
= sum over all images / number of images

totals-not-reset
the sums go on from epoch to epoch
Print the sums at the start of the second epoch.
Where are they set to zero: before the loop or in it?
= each epoch starts its sums at zero

accuracy-of-training
the validation accuracy is that of the training images
Which loader is the accuracy computed from?
Follow the names.
= validation uses the validation images

graph-kept
the report holds tensors with their whole record: memory grows with every batch
What type has what you add up?
Which method turns a tensor of one element into a number?
= the report holds numbers

best-by-reference
the best weights are kept without a copy: they change on with the training
Compare the kept weights with the last ones.
What does state_dict() return: values or references?
= the kept weights are a copy

best-is-worst
the worst epoch is kept, not the best one
For losses, is more better? And for accuracies?
Compare the sign of the comparison with what is compared.
= the epoch of the best validation is kept

best-not-restored
the best weights are kept but the network ends with the last ones
Which weights does the network have at the end?
What should be done with the kept weights after the loop?
= the network ends with the best weights

scheduler-per-batch
the scheduler makes a step for every batch, not for every epoch
Count its steps.
Inside which loop is the line?
= scheduler.step(val_loss) once per epoch

scheduler-unused
the scheduler never makes a step
Print the learning rate of every epoch.
Which line should change it?
= scheduler.step(val_loss) once per epoch

scheduler-other-value
the scheduler is given another value than the validation loss
Which quantity should decide that the learning rate falls?
Print what you give to the scheduler beside the validation loss.
= scheduler.step(val_loss) once per epoch

wrong-epochs
the number of epochs is another than asked for
How often does the loop run?
Look at the range of the loop, and for a return or break inside it.
= num_epochs epochs

loop-images-left-out
some training images are never used
Count the images of one epoch.
Which line ends or skips a batch?
= every epoch uses every image once

loop-not-shuffled
the images are in the same order in every epoch
Print the first labels of two epochs.
What should happen at the beginning of each epoch?
= every epoch uses a new random order

optimizer-made-again
a new optimizer is made in the loop: its momentum is lost
How many optimizers are made in one training?
What does an optimizer remember between steps?
= one optimizer for the whole training

same-network
all optimizers train one and the same network: each begins where the last one ended
Print the first loss of every optimizer.
When is the network made: once, or once per optimizer?
= every optimizer has its own network

other-first-weights
the optimizers begin with different weights
Print the first weight for every optimizer.
What decides the first weights of a new network?
= every optimizer begins with the same weights

same-optimizer
all optimizers are the same one
Print the type and the learning rate of the optimizer of each training.
Functions made in a loop see the loop's last value.
= one training per optimizer

optimizer-of-other-network
an optimizer has the parameters of another network: the one that trains never changes
Print a weight before and after the training.
For which network was the optimizer made?
= the optimizer of the network that trains

one-result
only one of the optimizers is in the result
Print the keys of the result.
Where is the return, or where is the result made anew?
= one result per optimizer
""")
