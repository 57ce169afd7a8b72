"""Mistakes of classes that should work with scikit-learn's tools."""

from mnistlab.checking.mistakes.mistake import entries

ESTIMATORS = entries("""
init-many-arguments
__init__ takes *args or **kwargs: scikit-learn cannot list the parameters
How does scikit-learn learn the names of the parameters?
Every parameter needs its own name.
= every parameter is named in __init__

init-not-stored
a parameter is not stored under its own name
What does get_params() do for each name in __init__?
Compare the names on both sides of each assignment.
= self.name = name, for every parameter

init-changed
__init__ changes a parameter instead of storing it as it was given
Compare what get_params() gives with what you passed.
Where is the place to check or to convert parameters?
= self.name = name, for every parameter

init-does-work
__init__ does more than to store its parameters
Which attributes has an object that was never fitted?
What would a copy of the object share with it?
= __init__ only stores its parameters

fit-not-self
fit does not return the object
What does `Model().fit(X, y).predict(X)` need?
What is the last line of fit?
= fit returns self

classes-not-set
fit does not set classes_
Which labels can the classifier give, and in which order?
Names that end in an underscore are found by fit.
= classes_ holds the sorted labels

classes-not-sorted
classes_ is not sorted
In which order do the labels stand?
Which function of NumPy gives sorted labels without repetition?
= classes_ holds the sorted labels

labels-as-numbers
predict returns class numbers, not the labels that fit was given
Fit with words as labels. What does predict give?
How do numbers become labels again?
= predict returns values of classes_

labels-taken-for-numbers
the labels are taken for the numbers 0 to K - 1
Fit with the labels 3, 5 and 8, or with words.
How does each label get its number?
= labels may be any values

number-of-classes-fixed
the number of classes does not follow from the labels
How many columns has predict_proba for three classes?
From where does fit know how many classes there are?
= one column per class

predict-not-classes
predict does not return one label per image
Print the shape and the type of what predict returns.
Which step is missing between the probabilities and the labels?
= predict returns labels (N,)

columns-out-of-order
predict and predict_proba disagree about the class
Compare the largest column with the predicted label.
In which order are the columns?
= column k belongs to classes_[k]

not-probabilities
the rows of predict_proba are no probabilities
Sum one row.
What does the network return: scores or probabilities?
= every row is >= 0 and sums to 1

fit-goes-on
a second fit goes on where the first one ended
Fit twice, and compare with a new object fitted once.
When is the network made?
= fit starts from new weights

seed-unused
random_state has no effect
Fit with two different values of random_state.
Follow random_state: where should it arrive?
= random_state decides the random numbers

not-repeatable
the same random_state gives different results
Fit two equal objects, and compare.
Where do random numbers come from that random_state does not decide?
= the same random_state gives the same network

fit-changes-parameters
fit changes a parameter
Compare get_params() before and after fit.
Where can fit keep values of its own?
= parameters stay as they were given

estimator-changes-input
the images that were passed are changed
Compare X before and after the call.
Which operations change an array in place?
= X is as before

features-not-counted
fit does not set n_features_in_
How does scikit-learn know how many columns X had?
Which function of scikit-learn checks X and notes its columns?
= n_features_in_ is the number of columns

not-fitted-unsaid
before fit, predict fails without saying that fit is missing
Call predict of a new object. Which exception is raised?
Which function of scikit-learn checks for this?
= NotFittedError before fit

no-score
there is no score method
What does cross_val_score call?
Which class of scikit-learn brings it?
= score(X, y) is the accuracy

not-a-classifier
scikit-learn does not know that this is a classifier
What does is_classifier say?
Which class of scikit-learn says so, and in which order are the two inherited from?
= class Name(ClassifierMixin, BaseEstimator)

score-other
score is not the accuracy
Compute the accuracy by hand and compare.
What do you divide by?
= score(X, y) = mean(predict(X) == y)

nan-accepted
values that are not numbers (NaN) are accepted without a word
What comes out of a network that gets NaN?
Which function of scikit-learn checks X?
= ValueError for NaN

lists-refused
lists are refused, though they hold numbers
Which line needs an array?
Which function of scikit-learn makes an array of X?
= X may be anything like an array

rows-depend-on-others
the prediction of an image depends on the other images
Compare the prediction of one image alone with that within many.
Which number is computed from the images to predict?
= row i depends on image i only

other-columns-accepted
images with another number of columns are accepted
Predict images with one column more or less. What happens?
Which function of scikit-learn compares the columns with those of fit?
= ValueError for another number of columns

estimator-does-not-learn
the classifier does not learn classes that are easy to tell apart
Print the training accuracy.
Follow images and labels from fit to the network.
= training raises the accuracy

clone-fails
scikit-learn cannot copy the object
Call sklearn.base.clone on it.
Compare each argument of __init__ with the attribute of its name.
= clone(object) has the same parameters
""")
