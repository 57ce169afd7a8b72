"""Mistakes of the forward pass, softmax and the loss."""

from mnistlab.checking.mistakes.mistake import entries

FORWARD = entries("""
bias-left-out
the bias is not added
How many parameters has a layer, and which of them does this line use?
A layer of all-zero inputs should still give something. What does yours give?

bias-sign
the bias is subtracted, not added
What does a layer with a large positive bias and zero input give?
Compare the sign of every term with the equation.

bias-after-activation
the bias is added after the activation
Which comes first, the sum or the activation?
With a very negative bias every hidden unit should be 0. Is it, with yours?

activation-missing
the hidden layer has no activation: the two layers together are one linear layer
Can a product of two matrices do more than one matrix?
Look at what the second layer receives.

activation-unused
the activation is computed, but the next layer receives the sums from before it
Which variable does the second layer use?
Follow the names: which of them is used nowhere?

other-activation
the hidden layer has another activation than ReLU
What does the activation give for a large input?
ReLU has no exponential in it.

leaky-activation
the activation lets a part of the negative values through
What should ReLU give for -1?
ReLU has one slope on each side of zero. What are they?

absolute-value
the activation is the absolute value
What should ReLU give for -1?
Negative values should not come back as positive ones.

activation-upside-down
the activation keeps the negative values and drops the positive ones
What should ReLU give for 2, and for -2?
Of two numbers, which one is kept?

step-activation
the activation is 0 or 1: the value itself is lost
What should ReLU give for 2, and for 3?
This is what one multiplies with in the backward pass, not in the forward pass.

clipped-activation
the activation cuts values above 1
What should ReLU give for 5?
Only one side of ReLU is bounded.

activation-softmax
the hidden layer has softmax as its activation
Should hidden values sum to 1?
Softmax belongs to one layer only.

activation-on-scores
the scores are cut at zero before softmax
Which layers have an activation of their own?
What does softmax make of two negative scores that both became 0?

softmax-missing
the forward pass returns scores, not probabilities
Do the rows of the result sum to 1?
Something is missing after the last layer.

softmax-twice
softmax is applied twice: the probabilities become nearly equal, and the loss cannot reach 0
How large can the largest probability become?
Follow the scores to the loss, and count.

softmax-wrong-axis
softmax is taken over the images, not over the classes
What should sum to 1: a row or a column?
With one image per row, which axis runs over the classes?

softmax-over-batch
softmax divides by a sum over all images
What should the probabilities of one image sum to?
The sum needs an axis.

softmax-sign
softmax has the wrong sign: the largest score gets the smallest probability
Which class should win: that of the largest or of the smallest score?
Look at the sign in the exponent.

sigmoid-for-softmax
each class has a sigmoid of its own: the probabilities do not sum to 1
What do the probabilities of one image sum to?
The classes must compete: each depends on all scores.

not-normalised
the exponentials are not divided by their sum
What do the probabilities of one image sum to?
What turns positive numbers into fractions of a whole?

exponential-missing
the scores are divided by their sum, without exponentials
Can a probability be negative? Can yours?
What makes every score positive before dividing?

log-softmax
the result is the logarithm of softmax
Can a probability be negative?
The logarithm belongs to the loss.

hard-decisions
the forward pass returns decisions (0 or 1), not probabilities
What does the loss need to know besides the winner?
Deciding belongs to predict.

softmax-overflow
softmax overflows for large scores: exp(1000) is infinity
What does exp give for 1000?
Adding one number to all scores of an image changes nothing. Which number helps?
= softmax(z) = softmax(z - c) for every number c

softmax-underflow
softmax subtracts one number from all images: the scores of an image far below it all become 0
Of which scores should the maximum be taken?
Try two images with very different scores in one batch.
= softmax(z_i) = softmax(z_i - max_j z_ij), each image with its own maximum

loss-summed
the loss is a sum over the images, not their mean
What happens to your loss when the batch is twice as large?
Losses of batches of different size should be comparable.

loss-over-all-entries
the mean is over all entries of the (N, K) array, not over the images
By which number is the sum divided?
How many terms per image are not zero?

loss-over-classes
the sum is divided by the number of classes, not by the number of images
By which number is the sum divided?
Which axis of the array counts the images?

loss-sign
the loss has the wrong sign
Is your loss positive? Should it become larger or smaller?
What is the sign of the logarithm of a probability?

loss-log-base
the logarithm is not the natural one
What should the loss of ten equal probabilities be? 2.303.
NumPy has several logarithms.

loss-halved
the loss is half of what it should be
Compute the loss of one image by hand.
Where does the factor come from? The squared error has one.

loss-log-missing
the loss has no logarithm
What should the loss be for a probability close to 0?
Compare each part with the equation.

loss-log-of-mean
the logarithm is taken of the mean, not the mean of the logarithms
Which comes first, the logarithm or the mean?
A single very wrong image should make the loss large.

loss-of-largest
the loss looks at the largest probability, not at that of the true class
Does your loss change when the labels change?
Which entry of a row belongs to the label?

loss-log-of-rest
the logarithm is of one minus the probability of the true class
What should the loss be when the true class has probability 1?
The logarithm of which number is taken?

loss-all-classes
the loss adds the logarithms of all classes, whatever the label
Does your loss change when the labels change?
How many terms per image should be left?

loss-entropy
the loss is the entropy of the probabilities: it does not use the labels
Does your loss change when the labels change?
Which of the two arrays belongs in the logarithm, and which before it?

loss-squared-error
the loss is the squared error, not the cross-entropy
Where is the logarithm?
Compare each part with the equation.

loss-binary
the loss is the binary cross-entropy of every class
How many terms per image should be left?
Softmax needs no term for the classes that are not true.

loss-arguments-swapped
probabilities and labels are swapped: the logarithm is of the labels
The logarithm of which array is taken?
What is the logarithm of a label that is 0?

loss-of-scores
the loss uses scores where it should use probabilities
Between which two numbers lies what you take the logarithm of?
Follow the variable back to where it was computed.

loss-not-reduced
the loss is one number per image, not one number
What shape has the loss?
Something is missing around it.

log-of-zero
the loss is infinite when a probability is 0
What is the logarithm of 0?
Before the logarithm, how can a probability be kept from being exactly 0?

argmax-wrong-axis
predict takes the largest value over the images, not over the classes
How many answers does predict give for N images?
With one image per row, which axis runs over the classes?
= predicted class of image i = argmax over k of p_ik

argmin
predict takes the smallest probability
Which class should win?
Read the name of the function that you call.
= predicted class of image i = argmax over k of p_ik

largest-for-argmax
predict returns the largest probability, not its class
Is a class a whole number?
There is a function for the value, and one for its place.
= predicted class of image i = argmax over k of p_ik

probabilities-for-classes
predict returns probabilities, not classes
What shape should N predicted classes have?
Something must choose one class per image.
= predicted class of image i = argmax over k of p_ik

classes-from-one
predict counts classes from 1
What is the first class called?
Compare with the labels.
= predicted class of image i = argmax over k of p_ik

one-hot-for-classes
predict returns one-hot rows, not classes
What shape should N predicted classes have?
One whole number per image is enough.
= predicted class of image i = argmax over k of p_ik

column-of-classes
predict returns a column (N, 1), not N classes
What is the shape of the labels?
Comparing (N, 1) with (N,) gives N x N answers.
= predicted class of image i = argmax over k of p_ik

input-changed
the function changes the array that it was given
Print the input before and after the call.
Which operation works in place?
= a function leaves its arguments as they were
? Does the caller's array survive the call?

empty
this is not written yet
Begin with the equation.
Write it for one image first.
? Read what the function should return.
""")
