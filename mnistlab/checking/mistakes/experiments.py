"""Mistakes of splits, folds and gradient checks."""

from mnistlab.checking.mistakes.mistake import entries

EXPERIMENTS = entries("""
one-sided
the difference is taken on one side only: its error shrinks with the step, not with its square
Where does the second value of the loss come from?
Which points lie at equal distance on both sides?
= (loss(w + h) - loss(w - h)) / (2h)

step-not-halved
the difference over two steps is divided by one step
How far apart are the two points?
Check the function on a straight line of slope 1.
= (loss(w + h) - loss(w - h)) / (2h)

step-squared
the difference is divided by another power of the step
Check the function on a straight line of slope 1.
How far apart are the two points?
= (loss(w + h) - loss(w - h)) / (2h)

difference-not-divided
the difference is not divided by the step
Check the function on a straight line of slope 1.
What happens if the step becomes ten times smaller?
= (loss(w + h) - loss(w - h)) / (2h)

gradient-check-sign
the numerical gradient has the wrong sign
Check the function on a straight line of slope 1.
Which of the two values is subtracted?
= (loss(w + h) - loss(w - h)) / (2h)

not-restored
the parameter is not as it was before
Compare the parameter before and after.
What happens to an element after its two losses are known?
= every element gets its value back

all-at-once
all elements are moved at once: every element gets the sum of all slopes
How many elements change between the two losses?
Check the function on x + 2y.
= one element moves at a time

fold-overlap
an image is in the validation part of more than one fold
Count how often each index validates.
Check both ends of each fold.
= each image validates once

fold-left-out
some images are in no validation part
Count how often each index validates.
What happens to the rest if the number of folds does not divide the number of images?
= each image validates once

fold-leakage
validation images are also training images of their fold
Intersect both parts of a fold.
Which indices must be left out for training?
= training and validation images are apart

fold-train-incomplete
a fold trains on fewer images than all the others
How many images are in neither part of a fold?
Check what is left out on both sides of the fold.
= training images: all without the fold

fold-swapped
training and validation part are swapped
Which of the two parts is larger?
In which order does the task name them?
= (training, validation)

fold-sizes
the folds have very different sizes
Print the size of every fold.
How is the rest shared out?
= sizes that differ by one at most

fold-count
there is another number of folds than asked for
Count the folds.
Look at the range of the loop.
= n_folds folds

fold-classifier-reused
all folds train one and the same classifier: it knows images that it is validated on
How many classifiers are made?
What does it remember from the fold before?
= a new classifier for each fold

fold-validated-on-training
the accuracy is computed on images that the fold trained on
Which images does predict get?
Follow the indices.
= accuracy on the validation images of the fold

fold-scaled-together
the images are changed before they are cut into folds: the training part knows the validation part
From which images are minimum, maximum or mean taken?
Where should scaling be fitted?
= everything is fitted on the training images of the fold

fold-mean
only one number is returned, not one per fold
How many numbers should come back?
Who should take the mean?
= one accuracy per fold

fold-accuracy
the accuracy of a fold is another than the fraction of right answers
Compute one fold by hand.
What is divided by what?
= mean(predict(X_val) == y_val)

parts-overlap
an image is in more than one part
Intersect the indices of the parts.
Which images are left for the second cut?
= every image is in one part

parts-left-out
some images are in no part
Add up the sizes of the parts.
Check both ends of each part.
= every image is in one part

parts-labels
images and labels are cut apart: an image meets the label of another
Print an image of a part and its label.
Are both cut with the same random numbers?
= image i keeps label i

parts-sizes
the parts have other sizes than the task says
Print the sizes of the parts.
The second cut is a fraction of what?
= 70 % train, 15 % validation, 15 % test

parts-not-stratified
the parts do not have the same fraction of every class
Count the classes in each part.
Which argument of the cut keeps the fractions?
= every part has the same fraction of each class

parts-not-shuffled
the parts are the first, the next and the last images: a file may be sorted
Are the labels of the file in order?
Which step mixes the images?
= the parts are drawn at random

parts-not-repeatable
each call gives another split
Call the function twice and compare.
Which argument fixes the random numbers?
= the same seed gives the same split
""")
