"""Mistakes of networks in PyTorch: layers, their order, and what is registered."""

from mnistlab.checking.mistakes.mistake import entries

NETWORKS = entries("""
super-init-missing
the class does not initialise nn.Module, so no layer can be registered
What has to run before the first layer is assigned?
Which line do all classes of PyTorch begin their __init__ with?

forward-returns-nothing
forward returns nothing
What does the last line of forward do with the scores?
Python functions without a certain statement give None.

flatten-batch
all images are flattened into one row: the images of a batch are no longer apart
Print the shape before and after flattening.
From which dimension on should be flattened?
= flattening keeps the first dimension: (N, C, H, W) to (N, C*H*W)

flatten-missing
the linear layer receives images (N, C, H, W) instead of rows (N, C*H*W)
Print the shape of what the linear layer receives.
What lies between the last pooling and the first linear layer?
= a linear layer takes (N, features)

flatten-too-early
a convolution receives flattened images
Print the shape of what the convolution receives.
Which layers need rows and columns of pixels?
= a convolution takes (N, C, H, W)

linear-wrong-size
the linear layer is made for another number of features than it receives
Print the shape of what the linear layer receives.
Follow height and width through every convolution and every pooling, then multiply by the channels.
= in_features = channels * height * width

reshape-wrong-size
the number of values per image is another than the reshaping says
Print the shape before the reshaping.
Follow height and width through every convolution and every pooling.
= channels * height * width values per image

channels-do-not-fit
a convolution is made for another number of channels than it receives
Print the shape of what each convolution receives.
Compare the output channels of each layer with the input channels of the next.
= in_channels of a layer = out_channels of the layer before

norm-wrong-size
a batch normalisation is made for another number of channels than it receives
Print the shape of what it receives.
Which layer is before it, and how many channels does that have?
= num_features = channels of its input

layer-not-called
a layer is made where it should be applied: its argument is taken for a setting
What type has the value after this line?
Making a layer and calling it are two pairs of brackets.
= y = layer(x)

images-mixed
the result of an image depends on the other images of the batch
Compare the scores of one image alone with its scores within a batch.
Which operation works along the first dimension?
= row i of the scores depends on image i only

batch-of-one
a batch of a single image loses its first dimension
What is the shape of the scores of one image?
Which function removes dimensions of size one?
= scores (N, K), also for N = 1

scores-shape
the network does not return one row of scores per image
Print the shape of the result for a batch of six images.
How many numbers should there be for each image?
= scores (N, K)

classes-fixed
the network works for one number of classes only, whatever the argument says
Make a network for seven classes, and print the shape of its scores.
Which number is written in the last layer?
= scores (N, num_classes)

softmax-in-network
the network applies softmax, and nn.CrossEntropyLoss applies it again
What does nn.CrossEntropyLoss expect: scores or probabilities?
How small can the loss become if its input lies between 0 and 1?
= the network returns scores; the loss applies softmax

sigmoid-on-scores
a sigmoid squeezes the scores into 0 to 1, and nn.CrossEntropyLoss then applies softmax
What does nn.CrossEntropyLoss expect?
How certain can softmax be of scores between 0 and 1?
= the network returns scores; the loss applies softmax

relu-on-scores
the scores pass a ReLU: none can be negative, and those at 0 have no gradient
Which values may a score have?
Look at what comes after the last linear layer.
= the last layer has no activation

dropout-on-scores
dropout sets whole scores to 0
What is left of the right class if its score is dropped?
Look at what comes after the last linear layer.
= dropout before the last layer, not after it

classes-for-scores
the network returns class numbers: they have no gradient
What does the loss need?
Where should the decision for a class be made?
= the network returns scores (N, K)

dropout-in-evaluation
dropout is active in evaluation mode: the same image gets other scores each time
Call the network twice with the same image, after eval().
How does this dropout learn in which mode the network is?
= dropout acts in training mode only

relu-missing
there is no activation between these two layers: two linear layers in a row are as good as one
Follow the values from layer to layer: where does something not linear happen?
Count layers and activations.
= activation after every hidden layer

layer-made-in-forward
a layer with weights is made in forward: it is new, with random weights, at every call
How long does this layer live?
Which weights does the optimizer see?
= layers are made once, in __init__

not-registered
the layer is not registered in the network: no optimizer trains it
Print the names of all parameters. Which are missing?
nn.Module sees its attributes, but not what is within a plain list or dictionary.
= every layer appears in parameters()

tensor-for-parameter
the weights are a plain tensor: no optimizer trains them
Print the names of all parameters. Which are missing?
Which class makes a tensor a weight of the network?
= every weight appears in parameters()

layer-unused
this layer has weights, but the forward pass does not use it
Which layers does forward call?
Look for a layer that is called twice.
= every layer takes part in forward

gradient-cut
the gradient stops here: the layers before it never learn
Which parameters have no gradient after backward()?
Which operation leaves the record of the forward pass?
= every parameter gets a gradient

batch-statistics
in evaluation mode, batch normalisation uses the mean of the batch
Compare the scores of one image alone with its scores within a batch, after eval().
Where does it take mean and variance from, in each of the two modes?
= evaluation mode: running mean and variance

norm-never-trained
batch normalisation never updates its running mean and variance
Print its running mean before and after a training step.
In which mode is it while you train?
= training mode updates the running mean and variance

padding-missing
the convolution has no padding: the image loses its border
How large is the image after the first convolution?
With a kernel of 3 x 3, what keeps 28 x 28 pixels?
= 28 x 28 stays 28 x 28

kernel-size
the kernel has another size than the task says
Compare the settings of each convolution with the task.
Print the shape of its weights.
= convolutions of 3 x 3

pool-missing
there are fewer poolings than the task says
How large is the image before the first linear layer?
Count: each convolution is followed by which steps?
= 28 to 14 to 7 pixels

average-pool
the pooling takes the mean, not the largest value
Which of the two kinds of pooling does the task name?
What do you get for the pixels 0, 0, 0, 1?
= the largest of 2 x 2 pixels

not-relu
the activation is another one than ReLU
Which activation does the task name?
What does it give for -1 and for 5?
= a = max(z, 0)

layer-size
a layer has another size than the task says
Compare the sizes of every layer with the task.
Print the shapes of all weights.
= the sizes of the task

layer-missing
there are fewer layers than the task says
Count the layers with weights, and compare with the task.
Print the network.
= the layers of the task

layer-too-many
there are more layers than the task says
Count the layers with weights, and compare with the task.
Print the network.
= the layers of the task

layer-bias-missing
a layer has no bias
How many parameters has a layer?
Compare the number of parameters with the task.
= y = W x + b

dropout-missing
there is no dropout
Call the network twice with the same image in training mode. Do the scores differ?
Compare the steps of forward with the task.
= dropout 0.5 before the last layer

dropout-rate
dropout has another rate than the task says
What does the number say: what is dropped or what stays?
Compare with the task.
= dropout 0.5 before the last layer
""")
