"""One function with everything in it, accuracies in percent, the best weights kept."""

import copy

import torch
import torch.nn as nn


def train(model, train_loader, val_loader, optimizer, num_epochs=10, device="cpu", scheduler=None):
    criterion = nn.CrossEntropyLoss()
    model.to(device)
    train_losses, val_losses, val_accs = [], [], []
    best_acc, best_weights = 0.0, None
    for epoch in range(num_epochs):
        model.train()
        running = 0.0
        for inputs, targets in train_loader:
            inputs, targets = inputs.to(device), targets.to(device)
            outputs = model(inputs)
            loss = criterion(outputs, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item() * inputs.size(0)
        train_loss = running / len(train_loader.dataset)
        train_losses.append(train_loss)

        model.eval()
        val_running, correct = 0.0, 0
        with torch.no_grad():
            for inputs, targets in val_loader:
                inputs, targets = inputs.to(device), targets.to(device)
                outputs = model(inputs)
                val_running += criterion(outputs, targets).item() * inputs.size(0)
                _, predicted = torch.max(outputs, 1)
                correct += (predicted == targets).sum().item()
        val_loss = val_running / len(val_loader.dataset)
        val_acc = 100.0 * correct / len(val_loader.dataset)
        val_losses.append(val_loss)
        val_accs.append(val_acc)
        if scheduler is not None:
            scheduler.step(val_loss)
        if val_acc > best_acc:
            best_acc = val_acc
            best_weights = copy.deepcopy(model.state_dict())
        print(f"epoch {epoch + 1}: {train_loss:.4f} {val_loss:.4f} {val_acc:.1f} %")
    model.load_state_dict(best_weights)
    return train_losses, val_losses, val_accs
