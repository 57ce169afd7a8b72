"""A loop with one function for both phases, as in an old tutorial."""

import copy

import torch


def train_model(model, criterion, optimizer, train_loader, val_loader, num_epochs=25):
    dataloaders = {"train": train_loader, "val": val_loader}
    best_model_wts = copy.deepcopy(model.state_dict())
    best_loss = float("inf")
    losses = {"train_loss": [], "val_loss": [], "val_acc": []}
    for epoch in range(num_epochs):
        for phase in ("train", "val"):
            if phase == "train":
                model.train()
            else:
                model.eval()
            running_loss = 0.0
            running_corrects = 0
            seen = 0
            for images, labels in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(images)
                    preds = outputs.argmax(dim=1)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                running_loss += loss.item() * images.size(0)
                running_corrects += torch.sum(preds == labels.data).item()
                seen += images.size(0)
            epoch_loss = running_loss / seen
            epoch_acc = running_corrects / seen
            losses[f"{phase}_loss"].append(epoch_loss)
            if phase == "val":
                losses["val_acc"].append(epoch_acc)
                if epoch_loss < best_loss:
                    best_loss = epoch_loss
                    best_model_wts = copy.deepcopy(model.state_dict())
    model.load_state_dict(best_model_wts)
    return model, losses
