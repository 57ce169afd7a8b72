"""Folders of images as real sets have them: each is read exactly right."""

from __future__ import annotations

from pathlib import Path

import pytest
from layouts import (
    A,
    C,
    Layout,
    check_read,
    images,
    reads,
    rows,
    unread,
)

READ: dict[str, Layout] = {}

# Folders.
reads(READ, "dogs vs cats", unread("test1/{i}.jpg"), train=images("train/{c}.{i}.jpg"))
reads(
    READ,
    "dogs vs cats, tested",
    {},
    train=images("train/{c}.{i}.jpg"),
    test=images("test/{c}.9{i}.jpg"),
)
reads(
    READ,
    "Oxford's pets, flat",
    {},
    train=images("images/{c}_{i}.jpg", "Abyssinian american_bulldog", 8),
)
reads(
    READ,
    "Intel",
    {**unread("seg_pred/seg_pred/{i}.jpg")},
    train=images("seg_train/seg_train/{c}/{i}.jpg"),
    test=images("seg_test/seg_test/{c}/{i}.jpg"),
)
reads(
    READ,
    "ASL alphabet",
    {**unread("asl_alphabet_test/asl_alphabet_test/X{i}_test.jpg")},
    train=images("asl_alphabet_train/asl_alphabet_train/{c}/{c}{i}.jpg", "A B"),
)
reads(
    READ,
    "dev and eval",
    {},
    train=images("train/{c}/{i}.png"),
    val=images("dev/{c}/{i}.png"),
    test=images("eval/{c}/{i}.png"),
)
reads(
    READ,
    "eval beside test",
    {},
    train=images("train/{c}/{i}.png"),
    val=images("eval/{c}/{i}.png"),
    test=images("test/{c}/{i}.png"),
)
reads(
    READ,
    "Food-11",
    {},
    train=images("training/{c}/{i}.png"),
    val=images("validation/{c}/{i}.png"),
    test=images("evaluation/{c}/{i}.png"),
)
reads(
    READ,
    "project",
    {"train.py": "x", "notebooks/a.ipynb": "{}", "README.md": "x", "data/README.md": "x"},
    train=images("data/train/{c}/{i}.png"),
    test=images("data/test/{c}/{i}.png"),
)
reads(
    READ,
    "project with pictures",
    {"docs/loss.png": None, "figures/a.png": None},
    train=images("data/train/{c}/{i}.png"),
    test=images("data/test/{c}/{i}.png"),
)
reads(
    READ,
    "Cat and cat",
    {},
    train=images("train/{c}/{i}.png", "Cat Dog"),
    test={p.replace("Cat", "cat"): c for p, c in images("test/{c}/{i}.png", "Cat Dog").items()},
)
reads(
    READ,
    "letters of both cases",
    {},
    train=images("train/{c}/{i}.png", "A a"),
    test=images("test/{c}/{i}.png", "A a"),
)
reads(
    READ,
    "Unicode forms of classes",
    {},
    train=images("train/{c}/{i}.png", "Käse Brot"),
    test={p.replace("ä", "a\u0308"): c for p, c in images("test/{c}/{i}.png", "Käse Brot").items()},
)
reads(
    READ,
    "junk of systems",
    dict.fromkeys(
        (
            ".DS_Store",
            "__MACOSX/._train",
            "train/.DS_Store",
            "train/cat/Thumbs.db",
            "train/cat/desktop.ini",
            "train/cat/._1.png",
            "test/.ipynb_checkpoints/x.png",
            "$RECYCLE.BIN/x.png",
            "System Volume Information/x.png",
            "train/cat/1.png:Zone.Identifier",
            "~$labels.xlsx",
            "lost+found/a.png",
        ),
        "x",
    ),
    train=A,
    test=C,
)
reads(
    READ,
    "tiny-imagenet's folders",
    {},
    train=images("train/{c}/images/{c}_{k}.JPEG", "n014 n017", 8),
)
reads(
    READ,
    "masks in each class",
    {p.replace("/images/", "/masks/"): None for p in images("{c}/images/{i}.png")},
    train=images("{c}/images/{i}.png"),
)
reads(
    READ,
    "Caltech-101",
    {"Annotations/cat/a.mat": "x", "show.m": "x"},
    train=images("101_ObjectCategories/{c}/image_{i:04d}.jpg", "BACKGROUND_Google ant"),
)
reads(
    READ,
    "Fruits-360",
    {"readme.md": "x", **unread("fruits-360/test-multiple_fruits/{i}.jpg")},
    train=images("fruits-360/Training/{c}/{i}_100.jpg"),
    test=images("fruits-360/Test/{c}/{i}_100.jpg"),
)
reads(
    READ,
    "plant seedlings",
    {"sample_submission.csv": "file,species\n0.png,x\n", **unread("test/{i}.png")},
    train=A,
)
reads(
    READ,
    "chest X-ray",
    {},
    train=images("chest_xray/train/{c}/{i}.jpeg", "NORMAL PNEUMONIA"),
    val=images("chest_xray/val/{c}/v{i}.jpeg", "NORMAL PNEUMONIA"),
    test=images("chest_xray/test/{c}/t{i}.jpeg", "NORMAL PNEUMONIA"),
)
reads(
    READ,
    "train and test images",
    {},
    train=images("train_images/{c}/{i}.png"),
    val=images("val_images/{c}/{i}.png"),
    test=images("test_images/{c}/{i}.png"),
)
reads(
    READ,
    "a table that says what the folders say",
    {"index.csv": rows(A, "{path},{c},{i}", "path,kind,n")},
    train=A,
)
reads(READ, "CVAT's ImageNet", {"synsets.txt": "cat\ndog\n"}, train=images("{c}/{i}.png"))
reads(
    READ,
    "notes of a camera",
    {"exif.csv": rows(images("{c}/{i}.png"), "{name},{i}.{i}5", "file,exposure")},
    train=images("{c}/{i}.png"),
)

reads(READ, "a folder test beside classes", unread("test/{i}.png"), train=images("{c}/{i}.png"))
reads(READ, "pictures of trains", {}, train=images("{c}/{i}.png", "car plane train"))
reads(READ, "test images in a folder unknown", unread("test/unknown/{i}.png"), train=A)
reads(
    READ,
    "dogs vs cats, unpacked twice",
    unread("test/test/{i}.jpg"),
    train=images("train/train/{c}.{i}.jpg"),
)
numbered = {f"{i}_{'cat' if i % 2 else 'dog'}.png": "cat" if i % 2 else "dog" for i in range(9)}
reads(READ, "numbers before names", {}, train=numbered)
reads(
    READ,
    "MNIST as PNG",
    {},
    train=images("mnist_png/training/{c}/{i}.png", "0 1"),
    test=images("mnist_png/testing/{c}/t{i}.png", "0 1"),
)

reads(READ, "valid and invalid", {}, train=images("{c}/{i}.png", "valid invalid"))
reads(READ, "test and control", {}, train=images("{c}/{i}.png", "test control"))
treated = "test control placebo"
reads(
    READ,
    "a class test within splits",
    {},
    train=images("train/{c}/{i}.png", treated),
    test=images("test/{c}/{i}.png", treated),
)
reads(READ, "a class test in train alone", {}, train=images("train/{c}/{i}.png", treated))
reads(READ, "a test set alone", {}, train=images("test/{c}/{i}.png"))
plants = "New Plants(Augmented)/New Plants(Augmented)/"
reads(
    READ,
    "new plant diseases",
    unread("test/test/Scab{i}.JPG"),
    train=images(plants + "train/{c}/{i}.JPG"),
    val=images(plants + "valid/{c}/v{i}.JPG"),
)
reads(
    READ,
    "rock, paper, scissors",
    {},
    train=images("rps/rps/{c}/{c}01-{i}.png"),
    test=images("rps-test-set/rps-test-set/{c}/t{c}01-{i}.png"),
)
reads(
    READ,
    "horses or humans",
    {},
    train=images("horse-or-human/{c}/{i}.png"),
    val=images("validation-horse-or-human/{c}/v{i}.png"),
)
reads(
    READ,
    "CIFAR-10 in flat folders",
    {"cifar/labels.txt": "cat\ndog\n"},
    train=images("cifar/train/{i}_{c}.png"),
    test=images("cifar/test/{i}_{c}.png"),
)
reads(
    READ,
    "MNIST as JPEG",
    {**unread("testSet/testSet/img_{i}.jpg"), **unread("trainingSample/trainingSample/0/{i}.jpg")},
    train=images("trainingSet/trainingSet/{c}/img_{i}.jpg", "0 1"),
)
reads(
    READ,
    "cat and dog",
    {},
    train=images("training_set/training_set/{c}/{c}.{i}.jpg"),
    test=images("test_set/test_set/{c}/{c}.4{i}.jpg"),
)


@pytest.mark.parametrize("name", READ)
def test_is_read_exactly_right(tmp_path: Path, name: str) -> None:
    check_read(tmp_path / "set", READ[name])
