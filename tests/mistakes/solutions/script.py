"""A right solution: one script of functions, with the weights in a dictionary."""

import numpy as np

LEARNING_RATE = 0.1
MOMENTUM = 0.9


def initialize_parameters(n_x, n_h, n_y, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "W1": rng.standard_normal((n_x, n_h)) * np.sqrt(2 / n_x),
        "b1": np.zeros((1, n_h)),
        "W2": rng.standard_normal((n_h, n_y)) * np.sqrt(2 / n_h),
        "b2": np.zeros((1, n_y)),
    }


def initialize_velocity(params):
    return {key: np.zeros_like(value) for key, value in params.items()}


def one_hot(labels, n_classes):
    return np.eye(n_classes)[labels]


def relu(z):
    return np.maximum(z, 0)


def relu_derivative(z):
    return np.where(z > 0, 1.0, 0.0)


def softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def forward(X, params):
    Z1 = np.dot(X, params["W1"]) + params["b1"]
    A1 = relu(Z1)
    Z2 = np.dot(A1, params["W2"]) + params["b2"]
    A2 = softmax(Z2)
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def compute_loss(A2, Y):
    m = Y.shape[0]
    log_likelihood = Y * np.log(A2 + 1e-8)
    loss = -np.sum(log_likelihood) / m
    return loss


def backward(X, Y, params, cache):
    m = X.shape[0]
    Z1, A1, A2 = cache["Z1"], cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(A1.T, dZ2) / m
    db2 = np.sum(dZ2, axis=0, keepdims=True) / m
    dA1 = np.dot(dZ2, params["W2"].T)
    dZ1 = dA1 * relu_derivative(Z1)
    dW1 = np.dot(X.T, dZ1) / m
    db1 = np.sum(dZ1, axis=0, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def update_parameters(params, grads, velocity, lr=LEARNING_RATE, momentum=MOMENTUM):
    for key in params:
        velocity[key] = momentum * velocity[key] - lr * grads["d" + key]
        params[key] = params[key] + velocity[key]
    return params, velocity


def train(X, Y, n_hidden=128, epochs=20, batch_size=64, lr=LEARNING_RATE):
    params = initialize_parameters(X.shape[1], n_hidden, Y.shape[1])
    velocity = initialize_velocity(params)
    m = X.shape[0]
    for epoch in range(epochs):
        permutation = np.random.permutation(m)
        X_shuffled = X[permutation]
        Y_shuffled = Y[permutation]
        for i in range(0, m, batch_size):
            X_batch = X_shuffled[i : i + batch_size]
            Y_batch = Y_shuffled[i : i + batch_size]
            A2, cache = forward(X_batch, params)
            grads = backward(X_batch, Y_batch, params, cache)
            params, velocity = update_parameters(params, grads, velocity, lr)
    return params


def predict(X, params):
    probabilities, _ = forward(X, params)
    return np.argmax(probabilities, axis=1)


if __name__ == "__main__":
    data = np.load("mnist.npz")
    train(data["x_train"], one_hot(data["y_train"], 10))
