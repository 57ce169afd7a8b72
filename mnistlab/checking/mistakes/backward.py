"""Mistakes of the backward pass."""

from mnistlab.checking.mistakes.mistake import entries

BACKWARD = entries("""
not-averaged
the gradient is N times too large: it is not divided by the number of images
The loss is a mean over the images. What of its gradient?
Double the batch: the gradient should hardly change. Does yours?

averaged-twice
the gradient is divided by the number of images twice
Follow the division by N through the backward pass.
How often does the number of images appear? A mean counts.

wrong-count
the gradient is divided by a number that is not the number of images
Which axis of the array counts the images?
Print the number that you divide by.

gradient-sign
the gradient has the wrong sign: the loss would rise
If a probability is too large, should its score rise or fall?
Which of the two terms is subtracted from the other?

factor-two
the gradient is twice as large as it should be
Where does the factor come from? The squared error has one.
Compute one entry by hand.

softmax-derivative-again
the derivative of softmax is applied once more: p - y has it already
For which two functions together is the derivative p - y?
What is left to multiply with after p - y?

labels-not-subtracted
the labels do not appear in the gradient of the scores
Does your gradient change when the labels change?
What should the gradient be when the prediction is perfect?

probabilities-not-used
the probabilities do not appear in the gradient of the scores
What should the gradient be when the prediction is perfect?
Which of the two terms is missing?

softmax-skipped
the gradient with respect to the probabilities is used as that with respect to the scores
Which function lies between the scores and the probabilities?
The chain rule needs one factor for every function.

scores-for-probabilities
the gradient uses the scores where it should use the probabilities
Which array comes out of softmax?
What should the gradient be when the prediction is perfect?

decisions-for-probabilities
the gradient uses decided classes (0 or 1), not probabilities
Does your gradient become smaller when the network becomes more certain?
Deciding belongs to predict.

mask-on-output
the derivative of ReLU is applied to the scores, which have no ReLU
Which layers have a ReLU?
Go back through the forward pass in reverse order, step by step.

loss-as-factor
the gradient is multiplied by the loss
Does the loss itself appear in its derivative?
Compare the first line of the backward pass with the equation.

absolute-error
the error has lost its sign
Should the gradients of a row sum to 0? Do yours?
Which function removes signs?

squared-error
the error is squared
Is the gradient of the scores ever negative? Is yours?
Which loss are you differentiating?

labels-off-by-one
the one-hot rows are shifted by one class
Which column belongs to label 0?
Print one label and its one-hot row.

weights-not-transposed
the error goes back through the weights, not through their transpose
What shape should the gradient of the hidden values have?
The forward pass goes from H to K. The way back?

weights-of-wrong-layer
the error goes back through the weights of another layer
Which weights lie between the hidden values and the scores?
Compare the shapes, or the numbers, of the two weight matrices.

weights-left-out
the error goes back without the weights
Which weights lie between the hidden values and the scores?
A hidden unit with weight 0 should receive no error.

updated-too-early
the weights are changed before the error has gone back through them
In which order are gradients computed and weights changed?
Which line uses weights that another line has changed already?

gradient-for-weights
the error goes back through the gradient of the weights, not through the weights
Which matrix did the forward pass use?
Compare two names that differ by one letter.

error-of-wrong-layer
the error of another layer is used
Which error belongs to this layer: before or after its weights, before or after its activation?
Compare the shape, or the numbers, of what you use with what the equation names.

input-of-wrong-layer
the input of another layer is used
What did this layer receive in the forward pass?
Compare the shape of the gradient with that of the weights.

mask-missing
the error passes the hidden layer as if there were no ReLU
What should a hidden unit that was 0 receive?
What is the derivative of ReLU, and where does it appear in the chain rule?

mask-inverted
the derivative of ReLU is 1 where it should be 0, and 0 where it should be 1
For which inputs does ReLU let a change through?
Compare the direction of the inequality.

mask-of-gradient
the mask is computed from the gradient, not from the hidden layer
Which values decided in the forward pass what ReLU let through?
Which array goes into the derivative of ReLU?

activation-for-mask
the error is multiplied by the hidden values themselves, not by the derivative
What is the derivative of ReLU for input 5?
How many different values has the derivative of ReLU?

mask-before-bias
the mask is computed from sums without the bias
What exactly went into ReLU in the forward pass?
A bias can turn a negative sum into a positive one.

mask-of-wrong-layer
the mask is of another layer
Which layer's activation do you go back through?
Compare the shape, or the numbers, of the mask with the hidden values.

mask-threshold
ReLU or its derivative changes at the wrong place
At which input does ReLU change?
What is the derivative of ReLU for input 0.2?

mask-alone
the error from the layer above is lost: only the mask is left
How many factors has the chain rule here?
Which of them should come from the layer above?

derivative-of-sigmoid
the derivative is that of the sigmoid, not that of ReLU
Which activation has the hidden layer?
How many different values has the derivative of ReLU?

derivative-of-tanh
the derivative is that of tanh, not that of ReLU
Which activation has the hidden layer?
How many different values has the derivative of ReLU?

derivative-leaks
the derivative lets a part of the error through where ReLU was 0
What should a hidden unit that was 0 receive?
ReLU has one slope on each side of zero. What are they?

derivative-has-sign
the derivative is -1 where it should be 0
What is the slope of ReLU for negative inputs?
How many different values has the derivative of ReLU?

wrong-gradient-masked
the error is multiplied by itself
Which two arrays are multiplied here?
Compare each factor with the equation.

transposed
the gradient is transposed
Compare the shape of the gradient with that of the weights.
In which order must the two matrices be multiplied?

not-transposed
the layer's input is not transposed
Over which axis does the matrix product sum?
The sum should run over the images.

gradient-missing
the gradient is zero: these parameters never learn
Do these parameters change in a step?
Which line should compute it?

weights-in-gradient
the gradient is multiplied by the weights
Does z = x W depend on W linearly? Then what is the derivative?
Compare each factor with the equation.

before-activation
the gradient uses the hidden sums, not the hidden values
What did this layer receive in the forward pass?
The two differ where a sum is negative.

mask-for-activation
the gradient uses the mask, not the hidden values
What did this layer receive in the forward pass?
The derivative of ReLU belongs to another line.

bias-wrong-axis
the gradient of the bias is summed over the wrong axis
Compare the shape of the gradient with that of the bias.
A bias is shared by the images. Which axis counts the images?

bias-summed-over-all
the gradient of the bias is one number for the whole layer
Compare the shape of the gradient with that of the bias.
The sum needs an axis.

bias-not-summed
the gradient of the bias is not summed over the images
Compare the shape of the gradient with that of the bias.
A bias is shared by the images: what happens to their gradients?

bias-one-image
the gradient of the bias comes from a single image
Does it change when another image of the batch changes?
A bias is shared by all images of the batch.

bias-largest
the gradient of the bias is a maximum over the images
How are the contributions of several images put together?
Read the name of the function that you call.

bias-times-value
the gradient of the bias is multiplied by the bias
Does z = x W + b depend on b linearly? Then what is the derivative?
Compare each factor with the equation.

gradients-added-up
gradients of earlier calls are still in the sum
Call the backward pass twice: should the result double?
What should be set to zero, and when?
= the gradient depends on this batch only
? Call the backward pass twice with the same batch and compare.

no-gradient
the backward pass returns no gradients, stores none and changes no weights
What should the caller find after the call?
Where do your results go?
= dL/dW1, dL/db1, dL/dW2, dL/db2
? What does the backward pass leave behind?
""")
