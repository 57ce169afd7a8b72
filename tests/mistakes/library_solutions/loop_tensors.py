"""Tensors instead of loaders; a class that holds everything; weights saved to a file."""

import torch
from torch import nn


def train_network(model, X_train, y_train, X_val, y_val, epochs=5, batch_size=32, lr=0.01):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    history = {"loss": [], "val_loss": [], "val_accuracy": []}
    best = float("inf")
    for _ in range(epochs):
        order = torch.randperm(len(X_train))
        model.train()
        total = 0.0
        for start in range(0, len(X_train), batch_size):
            rows = order[start : start + batch_size]
            optimizer.zero_grad(set_to_none=True)
            loss = loss_fn(model(X_train[rows]), y_train[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(rows)
        model.eval()
        with torch.no_grad():
            scores = model(X_val)
            val_loss = loss_fn(scores, y_val).item()
        history["loss"].append(total / len(X_train))
        history["val_loss"].append(val_loss)
        history["val_accuracy"].append((scores.argmax(1) == y_val).float().mean().item())
        if val_loss < best:
            best = val_loss
            torch.save(model.state_dict(), "best_model.pt")
    model.load_state_dict(torch.load("best_model.pt"))
    return history
