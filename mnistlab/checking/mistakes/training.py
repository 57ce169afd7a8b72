"""Mistakes of the initial weights, the update, the training loop and the data."""

from mnistlab.checking.mistakes.mistake import entries

TRAINING = entries("""
momentum-missing
there is no momentum: each step forgets the ones before
What of the velocity is left after a step?
Is the velocity the same object in the next step?

momentum-order
the weights are moved by the velocity of the step before
Which velocity moves the weights: the old or the new one?
Compare the order of the two lines.

step-sign
the weights move up the gradient
Does the loss fall?
Count the minus signs in both lines.

velocity-sign
the velocity changes its direction at every step
What sign has the velocity's own term?
Compare the first term with the equation.

momentum-damped
the gradient is multiplied by one minus the momentum
How large is the very first step?
Two definitions of momentum exist. Which one is asked for?

momentum-swapped
the momentum and one minus the momentum are swapped
Which part of the old velocity should be kept: most of it or little?
Compare each factor with the equation.

nesterov
the weights are moved by a look ahead (Nesterov), not by the velocity alone
How large is the very first step?
What exactly is added to the weights?

learning-rate-twice
the learning rate is applied twice
How large is the very first step?
Count where the learning rate appears.

learning-rate-missing
the learning rate is not used
How large is the very first step?
Count where the learning rate appears.

learning-rate-on-velocity
the momentum also multiplies the new gradient
How large is the very first step?
Look at the brackets.

velocity-replaces-weights
the weights are replaced by the velocity
Do the weights still remember where they began?
Assigning and adding differ by one sign.

step-twice
the gradient moves the weights twice: directly and through the velocity
How large is the second step, compared with the first?
How often are the weights changed in one step?

momentum-on-weights
the momentum multiplies the weights
What happens to the weights when the gradient is 0?
Which of the two is multiplied in the equation?

momentum-is-one
the velocity never fades
What of the velocity is left after a step?
One factor is missing.

shape-changed
the update changes the shape of the parameter
Print its shape before and after a step.
Compare the shape of what is added with its own.
= w + v has the shape of w

not-updated
these parameters are never changed
Print them before and after a step.
Which line should change them?

never-updated
training changes no weights
Print the weights before and after training.
Which call is missing in the loop?
= w changes at every step
? Does anything in the loop change the weights?

init-zero
all weights start equal: all hidden units stay equal for ever
What makes two hidden units different from each other?
What gradient do two equal hidden units receive?
= W ~ N(0, 2/n_in)
? Print the first weights.

init-variance-for-deviation
the weights are multiplied by the variance, not by the standard deviation
How large should the standard deviation be? Print it.
A normal distribution is scaled by which of the two?
= the standard deviation of W is sqrt(2/n_in)
? Print the standard deviation of the first weights.

init-wrong-size
the weights are scaled by another number than 2/n_in
Which size of the layer appears in the equation?
Print the standard deviation and compare it with the equation.
= the standard deviation of W is sqrt(2/n_in)
? Print the standard deviation of the first weights.

init-not-centred
the mean of the first weights is not 0
Can your first weights be negative?
Which distribution do you draw from?
= W ~ N(0, 2/n_in)
? Print the mean of the first weights.

init-bias
the biases do not start at zero
What should a new network add to its sums?
Print the first biases.
= b = 0
? Look at the biases of a new network.

not-shuffled
the images are in the same order in every epoch
Print the first labels of the first batch in two epochs.
What should happen at the beginning of each epoch?
= every epoch uses a new random order
? In which order do the images come?

shuffled-once
the images are shuffled once, not in every epoch
Print the first labels of the first batch in two epochs.
Is the shuffling inside or outside the loop over epochs?
= every epoch uses a new random order
? In which order do the images come?

labels-not-shuffled
images and labels are shuffled apart: an image meets the label of another
Print an image of a batch and its label.
Both must be put into one and the same order.
= image i keeps label i
? Does every image keep its label?

with-replacement
batches are drawn with replacement: in one epoch some images come twice and others never
How often does each image come in one epoch?
A shuffled order has every image once.
= every epoch uses every image once
? Which images come in one epoch?

images-never-used
some training images are never used
Which images are in the last batch?
Print first and last index of every batch.
= every epoch uses every image once
? Which images come in one epoch?

batches-overlap
batches overlap: some images come several times per epoch
Print first and last index of every batch.
By how much should the start of a batch move?
= every epoch uses every image once
? Which images come in one epoch?

one-batch
only one batch per epoch is used
How many updates should one epoch make?
Which line ends the loop?
= an epoch has ceil(N / batch size) updates
? How many batches come in one epoch?

validation-trained
the network is trained on validation images
Which images reach the backward pass?
What is the validation part for?
= validation images change no weights
? Which images change the weights?

loss-does-not-fall
the loss does not fall in training, though every single step was right
Print the loss after each epoch.
Try a smaller learning rate, then look at what is passed to the step.
= the loss falls
? What does the loss do from epoch to epoch?

does-not-overfit
the network does not learn 32 images by heart
Print the training accuracy after each epoch.
What is different between one step and the whole loop?
= a network with enough parameters learns 32 images
? Train on 32 images only, for long.

test-leakage
the scaling of the training images depends on the other images
From which images are minimum and maximum taken?
Nothing of the test part may be known in training. What does fit see?
= minimum and maximum of the training images only
? Which images decide about the scaling?

scaled-apart
each part is scaled by numbers of its own
Does one and the same image get the same values in both parts?
How often do you fit, and how often do you only transform?
= one scaling, fitted on the training images, for every part
? Which images decide about the scaling?

constant-pixel
a pixel that is always the same gives NaN
What is maximum minus minimum for a pixel that is always 0?
By which number can one divide instead?
= (x - min) / (max - min), where max > min
? Which pixels never change?
""")
