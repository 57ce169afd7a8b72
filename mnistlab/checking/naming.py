"""What a student's parameter is meant to receive, by its name; arguments for a call from that."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

# Kinds of values, and the names that stand for them, in lower case without underscores.
WORDS = {
    "X": "x xepoch xtrain xbatch xb xshuffled xshuf xperm xs xmini "
    "images image inputs input inp data batch features samples a0 imgs",
    "y": "y ytrain ybatch yb ytrue labels label targets target t truth onehot yonehot "
    "yepoch yshuffled yshuf yperm ys ysh ymini ymb yt labelsshuffled shuffledlabels batchlabels "
    "batchy labelsbatch targetsbatch yenc ytrainonehot classes ytruelabels truelabels",
    "p": "p yhat ypred ypredicted a2 probs prob probabilities probas proba predictions prediction "
    "output outputs out yprob pred preds softmaxoutput",
    "z": "z z2 logits scores score",
    "X_val": "xval xvalidation valimages xvalid xdev valx xtest valdata",
    "X_test": "xtest testimages testdata",
    "y_val": "yval yvalidation vallabels yvalid ydev valy ytest valtargets",
    "learning_rate": "lr learningrate eta alpha rate stepsize",
    "momentum": "momentum mu beta gamma momentumcoefficient mom beta1",
    "epochs": "epochs nepochs numepochs maxepochs iterations niter nepoch epoch maxiter numepoch",
    "batch_size": "batchsize bs batch minibatchsize nbatch batches mb",
    "n_in": "inputsize nin ninputs inputdim indim nfeatures nx infeatures d din inputs input "
    "inputfeatures inputunits inputs insize fanin sizein diminput numinputs ninput",
    "n_hidden": "hiddensize nhidden hidden hiddendim h nh hiddenunits nunits hiddenfeatures "
    "numhidden hiddenlayersize sizehidden dimhidden",
    "n_out": "outputsize nout noutputs outputdim outdim nclasses ny outfeatures k numclasses "
    "output outputs classes c dout outputunits outsize fanout sizeout dimoutput noutput",
    "sizes": "sizes layersizes layers dims layerdims shape architecture widths units topology",
    "hidden_sizes": "hiddensizes hiddenlayers hiddendims hiddenlayersizes hiddenwidths",
    "seed": "seed randomstate randomseed rngseed",
    "rng": "rng generator random",
    "params": "params parameters weights theta model p w weightdict ws net network",
    "cache": "cache memory activations intermediates saved state context ctx forwardvalues values",
    "grads": "grads gradients grad gradient g dparams",
    "velocity": "velocity velocities v vel momenta momentums vs velocitydict",
    "upstream": "grad gradoutput dout upstream delta gradient dy dz da dl d dloss doutput "
    "outputgrad gradout g dlogits error",
    "n": "n m nsamples batchlength numsamples count",
    "verbose": "verbose printevery silent log",
    "weight_decay": "weightdecay l2 lambd lam reg decay wd regularisation regularization alpha",
}
KINDS: dict[str, list[str]] = {}
for _kind, _words in WORDS.items():
    for _word in _words.split():
        KINDS.setdefault(_word, []).append(_kind)


class UnboundError(Exception):
    """A parameter for which no value is known."""


def plain(name: str) -> str:
    """A name in lower case without underscores."""
    return name.lower().replace("_", "")


def kinds_of(name: str) -> list[str]:
    """What a parameter of that name may be meant to receive."""
    word = plain(name)
    return KINDS.get(word, []) or KINDS.get(re.sub(r"\d+$", "", word), [])


def bind(
    function: Callable[..., Any], offered: Mapping[str, Any], exact: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Arguments by name for a call.

    offered: values by kind. exact: values by the very name. A parameter with a default may stay
    without a value. One parameter that is left is given the one offered value that is left among
    X, y and p. Raises UnboundError where a value is still missing.
    """
    exact = exact or {}
    found: dict[str, Any] = {}
    used: set[str] = set()
    unknown: list[str] = []
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise UnboundError(f"the parameters of {function!r} cannot be read") from error
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        name = parameter.name
        kind = next((k for k in kinds_of(name) if k in offered and k not in used), None)
        if name in exact and kind not in ("X", "y"):
            found[name] = exact[name]
        elif kind is not None:
            found[name] = offered[kind]
            used.add(kind)
        elif parameter.default is parameter.empty:
            unknown.append(name)
    left = [kind for kind in ("X", "y", "p", "z") if kind in offered and kind not in used]
    if len(unknown) == 1 and left:
        found[unknown.pop()] = offered[left[0]]
    if unknown:
        raise UnboundError(f"it is not clear what {', '.join(unknown)} should receive")
    return found
