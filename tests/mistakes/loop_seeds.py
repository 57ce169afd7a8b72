"""Mistakes in training loops."""

from .seeds import Seed

BACK = "loss.backward()"
SEEDS = {
    "labs_loop": [
        Seed("gradients-add-up", "        optimizer.zero_grad()\n", "", BACK),
        Seed(
            "step-before-backward",
            "        loss.backward()\n        optimizer.step()\n",
            "        optimizer.step()\n        loss.backward()\n",
            "optimizer.step()",
        ),
        Seed(
            "zeroed-before-step",
            "        loss.backward()\n        optimizer.step()\n",
            "        loss.backward()\n        optimizer.zero_grad()\n        optimizer.step()\n",
            "        optimizer.zero_grad()\n        optimizer.step()",
        ),
        Seed("step-missing", "        optimizer.step()\n", "", BACK),
        Seed("backward-missing", "        loss.backward()\n", "", "optimizer.step()"),
        Seed(
            "eval-missing",
            "    model.eval()\n",
            "",
            "scores = model(images)\n        total_loss += criterion(scores, labels).item()",
        ),
        Seed("train-not-restored", "    model.train()\n", "", "model.eval()"),
        Seed(
            "validation-with-gradients",
            "@torch.no_grad()\n",
            "",
            "scores = model(images)\n        total_loss += criterion(scores, labels).item()",
        ),
        Seed("scheduler-unused", "scheduler.step(validated[0])", "pass", "def train_model"),
        Seed("scheduler-other-value", "scheduler.step(validated[0])", "scheduler.step(trained[0])"),
        Seed(
            "not-divided",
            "    return total_loss / n, n_correct / n\n\n\n@",
            "    return total_loss, n_correct / n\n\n\n@",
            ("return total_loss, n_correct", "total_loss += loss.item()"),
        ),
        Seed(
            "criterion-swapped",
            "loss = criterion(scores, labels)",
            "loss = criterion(labels, scores)",
        ),
        Seed(
            "loop-labels-wrong",
            "loss = criterion(scores, labels)",
            "loss = criterion(scores, labels.flip(0))",
        ),
        Seed(
            "loss-cut-off",
            "loss = criterion(scores, labels)",
            "loss = criterion(scores, labels).detach()",
            BACK,
        ),
        Seed(
            "validated-on-training",
            "evaluate_model(model, val_loader, criterion)",
            "evaluate_model(model, train_loader, criterion)",
            "    for images, labels in loader:\n        scores = model(images)\n        total",
        ),
        Seed(
            "batch-unpacked-wrongly",
            "    for images, labels in loader:\n        optimizer",
            "    for labels, images in loader:\n        optimizer",
            "        scores = model(images)\n        loss",
        ),
    ],
    "loop_tutorial": [
        Seed(
            "scheduler-per-batch",
            "            optimizer.step()\n",
            "            optimizer.step()\n            if scheduler is not None:\n                scheduler.step()\n",
            "                scheduler.step()",
        ),
        Seed(
            "best-by-reference",
            "best_weights = copy.deepcopy(model.state_dict())",
            "best_weights = model.state_dict()",
        ),
        Seed(
            "best-is-worst",
            "if val_acc > best_acc:",
            "if best_weights is None or val_acc < best_acc:",
        ),
        Seed(
            "best-not-restored",
            "    model.load_state_dict(best_weights)\n",
            "",
            "best_weights = copy",
        ),
        Seed(
            "mean-of-batches",
            "            running += loss.item() * inputs.size(0)\n        train_loss = running / len(train_loader.dataset)",
            "            running += loss.item()\n        train_loss = running / len(train_loader)",
        ),
        Seed(
            "divided-twice",
            "running += loss.item() * inputs.size(0)",
            "running += loss.item()",
            "train_loss = running",
        ),
        Seed(
            "divided-by-batches",
            "train_loss = running / len(train_loader.dataset)",
            "train_loss = running / len(train_loader)",
        ),
        Seed(
            "not-divided",
            "train_loss = running / len(train_loader.dataset)",
            "train_loss = running",
            ("train_loss = running", "running += loss"),
        ),
        Seed(
            "totals-not-reset",
            "    for epoch in range(num_epochs):\n        model.train()\n        running = 0.0\n",
            "    running = 0.0\n    for epoch in range(num_epochs):\n        model.train()\n",
            "train_loss = running",
        ),
        Seed("graph-kept", "train_losses.append(train_loss)", "train_losses.append(loss)"),
        Seed(
            "last-batch-only",
            "running += loss.item() * inputs.size(0)\n        train",
            "running = loss.item() * inputs.size(0)\n        train",
            "train_loss = running",
        ),
        Seed(
            "zeroed-once",
            "        for inputs, targets in train_loader:\n            inputs, targets = inputs.to(device), targets.to(device)\n            outputs = model(inputs)\n            loss = criterion(outputs, targets)\n            optimizer.zero_grad()\n",
            "        optimizer.zero_grad()\n        for inputs, targets in train_loader:\n            inputs, targets = inputs.to(device), targets.to(device)\n            outputs = model(inputs)\n            loss = criterion(outputs, targets)\n",
            "        optimizer.zero_grad()",
        ),
        Seed(
            "step-per-epoch",
            "            optimizer.step()\n            running += loss.item() * inputs.size(0)\n",
            "            running += loss.item() * inputs.size(0)\n        optimizer.step()\n",
            "        optimizer.step()\n",
        ),
        Seed(
            "loop-validation-trained",
            "        with torch.no_grad():\n            for inputs, targets in val_loader:\n                inputs, targets = inputs.to(device), targets.to(device)\n                outputs = model(inputs)\n                val_running += criterion(outputs, targets).item() * inputs.size(0)\n",
            "        if True:\n            for inputs, targets in val_loader:\n                inputs, targets = inputs.to(device), targets.to(device)\n                outputs = model(inputs)\n                loss = criterion(outputs, targets)\n                loss.backward()\n                optimizer.step()\n                val_running += loss.item() * inputs.size(0)\n",
            "                loss.backward()",
        ),
        Seed(
            "wrong-epochs",
            "    model.load_state_dict(best_weights)\n    return",
            "        return",
            "for inputs, targets in train_loader",
        ),
        Seed(
            "scores-softmaxed",
            "loss = criterion(outputs, targets)",
            "loss = criterion(outputs.softmax(dim=1), targets)",
        ),
        Seed(
            "loss-times-images",
            "            loss.backward()",
            "            loss = loss * len(inputs)\n            loss.backward()",
            BACK,
        ),
        Seed(
            "loss-divided-again",
            "            loss.backward()",
            "            loss = loss / len(inputs)\n            loss.backward()",
            BACK,
        ),
        Seed(
            "trained-in-evaluation-mode",
            "        model.train()\n",
            "        model.eval()\n",
            "        model.eval()\n        running",
        ),
    ],
    "loop_epochs": [
        Seed(
            "gradients-add-up",
            "        for p in net.parameters():\n            p.grad = None\n",
            "",
            BACK,
        ),
        Seed(
            "zeroed-before-step",
            "        for p in net.parameters():\n            p.grad = None\n        loss.backward()\n",
            "        loss.backward()\n        for p in net.parameters():\n            p.grad = None\n",
            ("p.grad = None", "opt.step()"),
        ),
        Seed(
            "loop-images-left-out",
            "        n += len(x)\n        sum_loss",
            "        n += len(x)\n        if n > 5:\n            break\n        sum_loss",
            "for x, y in loader:",
        ),
        Seed(
            "optimizer-made-again",
            "    for epoch in range(epochs):\n",
            "    for epoch in range(epochs):\n        opt = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)\n",
            "        opt = torch",
        ),
        Seed(
            "eval-missing",
            "    net.eval()\n",
            "",
            "sum_acc += accuracy(net(x), y) * len(x)\n        n",
        ),
        Seed("train-not-restored", "    net.train()\n", "", "net.eval()"),
        Seed(
            "validation-with-gradients",
            "@torch.inference_mode()\n",
            "",
            "sum_acc += accuracy(net(x), y) * len(x)\n        n",
        ),
        Seed(
            "batch-size-assumed",
            "sum_acc += accuracy(net(x), y) * len(x)",
            "sum_acc += accuracy(net(x), y) * 3",
            "return sum_acc / n",
        ),
        Seed(
            "loss-cut-off",
            "loss = F.cross_entropy(logits, y)",
            "loss = F.cross_entropy(logits, y).item()",
            BACK,
        ),
    ],
    "loop_tensors": [
        Seed(
            "loop-not-shuffled",
            "order = torch.randperm(len(X_train))",
            "order = torch.arange(len(X_train))",
            ("loss = loss_fn(model", "order ="),
        ),
        Seed("loop-labels-wrong", "y_train[rows])", "y_train[start : start + batch_size])"),
        Seed("eval-missing", "        model.eval()\n", "", "scores = model(X_val)"),
        Seed(
            "validation-with-gradients",
            "        with torch.no_grad():\n",
            "        if True:\n",
            "scores = model(X_val)",
        ),
        Seed(
            "loop-images-left-out",
            "range(0, len(X_train), batch_size)",
            "range(0, len(X_train) - batch_size, batch_size)",
            ("for start", "loss = loss_fn(model"),
        ),
        Seed(
            "batch-size-assumed",
            "total += loss.item() * len(rows)",
            "total += loss.item() * batch_size",
            ("total / len(X_train)",),
        ),
        Seed("gradients-add-up", "            optimizer.zero_grad(set_to_none=True)\n", "", BACK),
    ],
}
