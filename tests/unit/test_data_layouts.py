"""Layouts of real sets of images: each is read exactly right, or refused in one clear line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistlab.data import load
from mnistlab.errors import DataError

Files = dict[str, str | bytes | None]  # path -> text; None for an image
Labels = dict[str, dict[str, str]]  # split -> path of an image -> its label


class Layout:
    """Files of a set and the label of each image that is read, by split."""

    def __init__(self, files: Files, labels: Mapping[str, dict[str, str]], label_column: str = ""):
        self.files, self.labels = files, dict(labels)
        self.label_column = label_column or None


def images(pattern: str, classes: str = "cat dog", n: int = 6) -> dict[str, str]:
    """Paths with their labels. {c}: the class, {i}: a number through all, {k}: in the class."""
    found = {}
    for i in range(n):
        names = classes.split()
        name = names[i % len(names)]
        found[pattern.format(c=name, i=i, k=i // len(names))] = name
    return found


def rows(labelled: dict[str, str], line: str, header: str = "") -> str:
    """A table. {path}: of the image, {name}: of its file, {stem}: without ending, {c}, {i}."""
    lines = [header] if header else []
    for i, (path, name) in enumerate(labelled.items()):
        file = Path(path)
        told = {"path": path, "name": file.name, "stem": file.stem, "c": name, "i": i}
        lines.append(line.format(**told, folder=file.parent.name, code=CODES.get(name, 0)))
    return "\n".join(lines) + "\n"


CODES = {"cat": 0, "dog": 1, "owl": 2}
READ: dict[str, Layout] = {}


def reads(name: str, files: Mapping[str, str | bytes | None], **labels: dict[str, str]) -> None:
    every: Files = {path: None for of_split in labels.values() for path in of_split}
    column = files.get("--label-column", "")
    given = {path: text for path, text in files.items() if path != "--label-column"}
    READ[name] = Layout(every | given, labels, str(column or ""))


def unread(pattern: str, n: int = 3) -> Files:
    """Images without labels, which are left out."""
    return dict.fromkeys((pattern.format(i=i) for i in range(n)), None)


A, B, C = images("train/{c}/{i}.png"), images("val/{c}/v{i}.png"), images("test/{c}/t{i}.png")
FLAT = images("images/im{i:03d}.png", n=12)
T = images("train_images/a{i}.png", n=12)
TEST = images("test_images/b{i}.png", n=4)

# Tables beside images.
meta = "{i},{stem},{c},histo,{i}0.0,male"
parts = images("HAM10000_images_part_1/ISIC_{i:05d}.jpg", "nv mel bkl", 15)
parts |= images("HAM10000_images_part_2/ISIC_1{i:05d}.jpg", "nv mel bkl", 15)
head = "lesion_id,image_id,dx,dx_type,age,sex"
reads("HAM10000", {"HAM10000_metadata.csv": rows(parts, meta, head)}, train=parts)
reads(
    "cp1252",
    {"l.csv": rows(FLAT, "{name},{c}", "filename,label").replace("cat", "Größe").encode("cp1252")},
    train={p: c.replace("cat", "Größe") for p, c in FLAT.items()},
)
reads("UTF-16", {"l.csv": rows(FLAT, "{name};{c}", "Datei;Klasse").encode("utf-16")}, train=FLAT)
reads("German", {"liste.csv": rows(FLAT, "{name};{c}", "Datei;Klasse")}, train=FLAT)
reads(
    "Excel's sep", {"liste.csv": "sep=;\n" + rows(FLAT, "{name};{c}", "Datei;Klasse")}, train=FLAT
)
reads(
    "JSON object",
    {"labels.json": json.dumps({Path(p).name: c for p, c in FLAT.items()})},
    train=FLAT,
)
reads(
    "JSON records",
    {"labels.json": json.dumps([{"file": Path(p).name, "label": c} for p, c in FLAT.items()])},
    train=FLAT,
)
reads(
    "JSON of pandas",
    {
        "labels.json": json.dumps(
            {
                "filename": {str(i): Path(p).name for i, p in enumerate(FLAT)},
                "label": {str(i): c for i, c in enumerate(FLAT.values())},
            }
        )
    },
    train=FLAT,
)
reads(
    "JSON of columns",
    {"labels.json": json.dumps({"filename": [*FLAT], "label": [*FLAT.values()]})},
    train=FLAT,
)
reads(
    "JSON by class",
    {
        "labels.json": json.dumps(
            {c: [Path(p).stem for p, name in FLAT.items() if name == c] for c in ("cat", "dog")}
        )
    },
    train=FLAT,
)
reads(
    "StyleGAN's dataset.json",
    {
        "dataset.json": json.dumps(
            {"labels": [[p.removeprefix("images/"), CODES[c]] for p, c in FLAT.items()]}
        )
    },
    train={p: str(CODES[c]) for p, c in FLAT.items()},
)
reads(
    "FiftyOne",
    {
        "labels.json": json.dumps(
            {"classes": ["cat", "dog"], "labels": {Path(p).stem: CODES[c] for p, c in FLAT.items()}}
        )
    },
    train=FLAT,
)
reads(
    "JSON lines",
    {
        "metadata.jsonl": "".join(
            json.dumps({"file_name": p, "label": c}) + "\n" for p, c in FLAT.items()
        )
    },
    train=FLAT,
)
reads("list of text", {"labels.txt": rows(FLAT, "{name} {c}")}, train=FLAT)
reads("list with tabs", {"labels.txt": rows(FLAT, "{path}\t{c}")}, train=FLAT)
spaced = images("my images/a photo {i}.png", n=12)
reads("names with spaces", {"labels.txt": rows(spaced, "{name} {c}")}, train=spaced)
reads("pandas' index", {"labels.csv": rows(FLAT, "{i},{name},{c}", ",filename,label")}, train=FLAT)
reads(
    "code and name of a class",
    {"labels.csv": rows(FLAT, "{name},{code},{c}", "Filename,Label,ClassName")},
    train={p: str(CODES[c]) for p, c in FLAT.items()},
)
reads(
    "capitals", {"l.csv": rows(FLAT, "{name},{c}", "FILE,KIND").replace(".png", ".PNG")}, train=FLAT
)
reads("other ending", {"l.csv": rows(FLAT, "{stem}.jpg,{c}", "file,kind")}, train=FLAT)
reads(
    "one column per class",
    {
        "labels.csv": rows(FLAT, "{stem},{code}.0,{c}", "image,dog,cat")
        .replace(",cat\n", ",1.0\n", 1)
        .replace(",dog\n", ",0.0\n")
        .replace(",cat\n", ",1.0\n")
        .replace("image,dog,1.0", "image,dog,cat")
    },
    train=FLAT,
)
isic = images("ISIC2018_Task3_Training_Input/ISIC_{i:04d}.jpg", "MEL NV BCC", 12)
hot = {"MEL": "1.0,0.0,0.0", "NV": "0.0,1.0,0.0", "BCC": "0.0,0.0,1.0"}
isic_table = "image,MEL,NV,BCC\n" + "".join(f"{Path(p).stem},{hot[c]}\n" for p, c in isic.items())
reads(
    "ISIC 2018",
    {
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv": isic_table,
        "ISIC2018_Task3_Training_GroundTruth/LICENSE.txt": "CC0",
    },
    train=isic,
)
isic_meta = "image,age_approx,anatom_site_general,lesion_id,sex\n" + "".join(
    f"{Path(p).stem},{i}5,{'head' if i % 3 else 'torso'},L{i // 2},{'male' if i % 2 else 'female'}\n"
    for i, p in enumerate(isic)
)
reads(
    "ISIC 2019",
    {
        "ISIC_2019_Training_GroundTruth.csv": isic_table,
        "ISIC_2019_Training_Metadata.csv": isic_meta,
    },
    train=isic,
)
reads(
    "cassava",
    {
        "train.csv": rows(T, "{name},{code}", "image_id,label"),
        "label_num_to_disease_map.json": '{"0": "a", "1": "b"}',
        "sample_submission.csv": rows(TEST, "{name},4", "image_id,label"),
        **unread("test_images/b{i}.png"),
    },
    train={p: str(CODES[c]) for p, c in T.items()},
)
reads(
    "aptos",
    {
        "train.csv": rows(T, "{stem},{code}", "id_code,diagnosis"),
        "test.csv": rows(TEST, "{stem}", "id_code"),
        "sample_submission.csv": rows(TEST, "{stem},0", "id_code,diagnosis"),
        **unread("test_images/b{i}.png", 4),
    },
    train={p: str(CODES[c]) for p, c in T.items()},
)
same = images("train/{i}.png", n=12)
reads(
    "same names in train and test",
    {"trainLabels.csv": rows(same, "{stem},{c}", "id,label"), **unread("test/{i}.png", 5)},
    train=same,
)
reads(
    "same names, one table each",
    {
        "train.csv": rows(same, "{name},{c}", "img,level"),
        "test.csv": rows(images("test/{i}.png"), "{name}", "img"),
        **unread("test/{i}.png", 6),
    },
    train=same,
)
reads(
    "labels of a test set too",
    {
        "train.csv": rows(A, "{name},{c}", "filename,label"),
        "test.csv": rows(C, "{name},{c}", "filename,label"),
    },
    train=A,
    test=C,
)
human = images("train/Image_{i}.jpg", n=12)
reads(
    "human action",
    {
        "Training_set.csv": rows(human, "{name},{c}", "filename,label"),
        "Testing_set.csv": rows(images("test/Image_{i}.jpg"), "{name}", "filename"),
        **unread("test/Image_{i}.jpg", 6),
    },
    train=human,
)
sign, sign_test = (
    images("Train/{c}/0{c}_{i:05d}.png", "0 1 20", 12),
    images("Test/{i:05d}.png", "0 1 20", 6),
)
line, head = "28,28,5,6,20,22,{c},{path}", "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
signs = {
    "Train.csv": rows(sign, line, head),
    "Test.csv": rows(sign_test, line, head),
    "Meta.csv": "Path,ClassId,ShapeId,ColorId,SignId\n"
    + "".join(f"Meta/{c}.png,{c},0,0,1.1\n" for c in (0, 1, 20)),
    "Meta/0.png": None,
    "Meta/1.png": None,
    "Meta/20.png": None,
}
reads("GTSRB", signs, train=sign, test=sign_test)
original = images("Final_Training/Images/{c}/{k:05d}.ppm", "00000 00001", 8)
tables: Files = {}
for one in ("00000", "00001"):
    own = {p: c for p, c in original.items() if c == one}
    tables[f"Final_Training/Images/{one}/GT-{one}.csv"] = rows(
        own,
        "{name};29;30;5;6;24;25;" + str(int(one)),
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId",
    )
reads("GTSRB as published", tables, train={p: str(int(c)) for p, c in original.items()})
whales = images("train/w{i}.jpg", "w_1287 w_98ba new_whale", 12)
reads(
    "humpback whales",
    {
        "train.csv": rows(whales, "{name},{c}", "Image,Id"),
        "sample_submission.csv": "Image,Id\nx.jpg,w_1287\n",
        **unread("test/x{i}.jpg"),
    },
    train=whales,
)
breeds = images("train/{i:08x}.jpg", "beagle pug", 12)
reads(
    "dog breeds",
    {"labels.csv": rows(breeds, "{stem},{c}", "id,breed"), **unread("test/f{i}.jpg")},
    train=breeds,
)
xray = images("images_001/images/0000{i:04d}_000.png", "Mass Effusion", 12) | images(
    "images_002/images/0001{i:04d}_000.png", "Mass Effusion", 12
)
reads(
    "columns left open, one given",
    {
        "Data_Entry.csv": rows(
            xray,
            "{name},{c},0,{code},M,{folder}",
            "Image Index,Finding,Follow-up #,Patient ID,Sex,View",
        ),
        "--label-column": "Finding",
    },
    train=xray,
)
reads(
    "column given by its number",
    {"list.txt": rows(FLAT, "{stem} {code} 1 {c}"), "--label-column": "4"},
    train=FLAT,
)
uuid = images("jpeg/i{i}.jpg", "benign malignant", 12)
reads(
    "ISIC 2020",
    {
        "train.csv": rows(
            uuid,
            "{stem},IP_{i},female,45.0,torso,unknown,{c},{c}",
            "image_name,patient_id,sex,age_approx,anatom_site,diagnosis,benign_malignant,target",
        )
        .replace(",benign\n", ",0\n")
        .replace(",malignant\n", ",1\n")
    },
    train={p: str(int(c == "malignant")) for p, c in uuid.items()},
)
reads(
    "EuroSAT",
    {
        "train.csv": rows(A, "{i},{c}/{name},{code},{c}", ",Filename,Label,ClassName"),
        "test.csv": rows(C, "{i},{c}/{name},{code},{c}", ",Filename,Label,ClassName"),
        "label_map.json": '{"cat": 0, "dog": 1}',
    },
    train={p: str(CODES[c]) for p, c in A.items()},
    test={p: str(CODES[c]) for p, c in C.items()},
)
sample = images("train/{c}/{i}.png", "3 7")
sample_valid = images("valid/{c}/v{i}.png", "3 7")
reads(
    "fastai's MNIST sample",
    {"labels.csv": rows(sample | sample_valid, "{path},{c}", "name,label")},
    train=sample | sample_valid,
)
nfd = {p.replace("im", "ä"): c for p, c in FLAT.items()}
reads(
    "Unicode forms",
    {"l.csv": rows(nfd, "{name},{c}", "file,label").replace("ä", "a\u0308")},
    train=nfd,
)

# Hugging Face, Roboflow, Label Studio, CUB and the like.
face = {split: images(f"{split}/{{i:04d}}.png") for split in ("train", "validation", "test")}
reads(
    "metadata.csv in each split",
    {f"{s}/metadata.csv": rows(of, "{name},{c}", "file_name,label") for s, of in face.items()},
    train=face["train"],
    val=face["validation"],
    test=face["test"],
)
reads(
    "metadata.jsonl in each split",
    {
        f"{s}/metadata.jsonl": "".join(
            json.dumps({"file_name": Path(p).name, "label": CODES[c]}) + "\n" for p, c in of.items()
        )
        for s, of in face.items()
    },
    train={p: str(CODES[c]) for p, c in face["train"].items()},
    val={p: str(CODES[c]) for p, c in face["validation"].items()},
    test={p: str(CODES[c]) for p, c in face["test"].items()},
)
reads(
    "captions beside class folders",
    {"train/metadata.csv": rows(A, "{c}/{name},a photo of number {i}", "file_name,text")},
    train=A,
    test=C,
)
bits = {"cat": "1, 0", "dog": "0, 1"}
robo = {split: images(f"{split}/im{{i}}_jpg.rf.0a.jpg") for split in ("train", "valid", "test")}
reads(
    "Roboflow's _classes.csv",
    {
        f"{s}/_classes.csv": "filename, cat, dog\n"
        + "".join(f"{Path(p).name}, {bits[c]}\n" for p, c in of.items())
        for s, of in robo.items()
    }
    | {"README.roboflow.txt": "exported"},
    train=robo["train"],
    val=robo["valid"],
    test=robo["test"],
)
reads("YOLO classify", {"data.yaml": "names: [cat, dog]"}, train=A, val=B, test=C)
reads(
    "Label Studio CSV",
    {
        "project-1.csv": rows(
            FLAT,
            "/data/upload/1/{name},{i},{c},1,{i},2026-01-0{code}T00:00,2026-01-0{code}T00:01,3.{i}",
            "image,id,choice,annotator,annotation_id,created_at,updated_at,lead_time",
        )
    },
    train=FLAT,
)
tasks = [
    {
        "id": i,
        "data": {"image": f"/data/upload/1/{Path(p).name}"},
        "annotations": [
            {
                "id": i,
                "completed_by": 1,
                "result": [{"value": {"choices": [c]}, "from_name": "choice", "type": "choices"}],
            }
        ],
    }
    for i, (p, c) in enumerate(FLAT.items())
]
reads("Label Studio JSON", {"project-1.json": json.dumps(tasks)}, train=FLAT)
coco = {
    "images": [{"id": i, "file_name": Path(p).name, "width": 9} for i, p in enumerate(FLAT)],
    "annotations": [
        {"id": i, "image_id": i, "category_id": CODES[c] + 1} for i, c in enumerate(FLAT.values())
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}
reads("COCO, one class per image", {"annotations.json": json.dumps(coco)}, train=FLAT)
birds = images("images/00{c}/{c}_{i:04d}.jpg", "1.Tern 2.Jay", 12)
numbered = list(birds.items())
bird_train = {p: f"00{c}" for i, (p, c) in enumerate(numbered) if i % 3}
bird_test = {p: f"00{c}" for i, (p, c) in enumerate(numbered) if not i % 3}
cub = {
    "images.txt": "".join(
        f"{i + 1} {p.removeprefix('images/')}\n" for i, (p, _) in enumerate(numbered)
    ),
    "image_class_labels.txt": "".join(f"{i + 1} {c[0]}\n" for i, (_, c) in enumerate(numbered)),
    "train_test_split.txt": "".join(f"{i + 1} {int(i % 3 > 0)}\n" for i in range(12)),
    "classes.txt": "1 001.Tern\n2 002.Jay\n",
    "bounding_boxes.txt": "".join(f"{i + 1} 1.0 2.0 3.0 4.0\n" for i in range(12)),
}
reads("CUB", cub, train=bird_train, test=bird_test)
reads(
    "CUB in its folder",
    {f"CUB_200_2011/{p}": t for p, t in cub.items()},
    train={f"CUB_200_2011/{p}": c for p, c in bird_train.items()},
    test={f"CUB_200_2011/{p}": c for p, c in bird_test.items()},
)
food = images("food-101/images/{c}/{i}.jpg", n=12)
food_train = {p: c for i, (p, c) in enumerate(food.items()) if i < 8}
food_test = {p: c for i, (p, c) in enumerate(food.items()) if i >= 8}
reads(
    "Food-101",
    {
        "food-101/meta/train.txt": rows(food_train, "{c}/{stem}"),
        "food-101/meta/test.txt": rows(food_test, "{c}/{stem}"),
        "food-101/meta/classes.txt": "cat\ndog\n",
        "food-101/meta/labels.txt": "Cat\nDog\n",
        "food-101/README.txt": "Food",
    },
    train=food_train,
    test=food_test,
)
flowers = images("jpg/image_{i:05d}.jpg", n=12)
reads(
    "lists of Paddle",
    {
        "train_list.txt": rows({p: c for p, c in [*flowers.items()][:8]}, "{path} {code}"),
        "val_list.txt": rows({p: c for p, c in [*flowers.items()][8:]}, "{path} {code}"),
    },
    train={p: str(CODES[c]) for p, c in [*flowers.items()][:8]},
    val={p: str(CODES[c]) for p, c in [*flowers.items()][8:]},
)
tiny_val = images("val/images/val_{i}.JPEG", "n014 n017", 6)
tiny = images("train/{c}/images/{c}_{k}.JPEG", "n014 n017", 8)
reads(
    "Google AutoML",
    {
        "import.csv": "".join(
            f"{'TRAIN' if i < 8 else 'TEST'},gs://bucket/{Path(p).name},{c}\n"
            for i, (p, c) in enumerate(FLAT.items())
        )
    },
    train={p: c for p, c in [*FLAT.items()][:8]},
    test={p: c for p, c in [*FLAT.items()][8:]},
)

# Folders.
reads("dogs vs cats", unread("test1/{i}.jpg"), train=images("train/{c}.{i}.jpg"))
reads(
    "dogs vs cats, tested", {}, train=images("train/{c}.{i}.jpg"), test=images("test/{c}.9{i}.jpg")
)
reads(
    "Oxford's pets, flat", {}, train=images("images/{c}_{i}.jpg", "Abyssinian american_bulldog", 8)
)
reads(
    "Intel",
    {**unread("seg_pred/seg_pred/{i}.jpg")},
    train=images("seg_train/seg_train/{c}/{i}.jpg"),
    test=images("seg_test/seg_test/{c}/{i}.jpg"),
)
reads(
    "ASL alphabet",
    {**unread("asl_alphabet_test/asl_alphabet_test/X{i}_test.jpg")},
    train=images("asl_alphabet_train/asl_alphabet_train/{c}/{c}{i}.jpg", "A B"),
)
reads(
    "dev and eval",
    {},
    train=images("train/{c}/{i}.png"),
    val=images("dev/{c}/{i}.png"),
    test=images("eval/{c}/{i}.png"),
)
reads(
    "eval beside test",
    {},
    train=images("train/{c}/{i}.png"),
    val=images("eval/{c}/{i}.png"),
    test=images("test/{c}/{i}.png"),
)
reads(
    "Food-11",
    {},
    train=images("training/{c}/{i}.png"),
    val=images("validation/{c}/{i}.png"),
    test=images("evaluation/{c}/{i}.png"),
)
reads(
    "project",
    {"train.py": "x", "notebooks/a.ipynb": "{}", "README.md": "x", "data/README.md": "x"},
    train=images("data/train/{c}/{i}.png"),
    test=images("data/test/{c}/{i}.png"),
)
reads(
    "project with pictures",
    {"docs/loss.png": None, "figures/a.png": None},
    train=images("data/train/{c}/{i}.png"),
    test=images("data/test/{c}/{i}.png"),
)
reads(
    "Cat and cat",
    {},
    train=images("train/{c}/{i}.png", "Cat Dog"),
    test={p.replace("Cat", "cat"): c for p, c in images("test/{c}/{i}.png", "Cat Dog").items()},
)
reads(
    "letters of both cases",
    {},
    train=images("train/{c}/{i}.png", "A a"),
    test=images("test/{c}/{i}.png", "A a"),
)
reads(
    "Unicode forms of classes",
    {},
    train=images("train/{c}/{i}.png", "Käse Brot"),
    test={p.replace("ä", "a\u0308"): c for p, c in images("test/{c}/{i}.png", "Käse Brot").items()},
)
reads(
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
reads("tiny-imagenet's folders", {}, train=tiny)
reads(
    "masks in each class",
    {p.replace("/images/", "/masks/"): None for p in images("{c}/images/{i}.png")},
    train=images("{c}/images/{i}.png"),
)
reads(
    "Caltech-101",
    {"Annotations/cat/a.mat": "x", "show.m": "x"},
    train=images("101_ObjectCategories/{c}/image_{i:04d}.jpg", "BACKGROUND_Google ant"),
)
reads(
    "Fruits-360",
    {"readme.md": "x", **unread("fruits-360/test-multiple_fruits/{i}.jpg")},
    train=images("fruits-360/Training/{c}/{i}_100.jpg"),
    test=images("fruits-360/Test/{c}/{i}_100.jpg"),
)
reads(
    "plant seedlings",
    {"sample_submission.csv": "file,species\n0.png,x\n", **unread("test/{i}.png")},
    train=A,
)
reads(
    "chest X-ray",
    {},
    train=images("chest_xray/train/{c}/{i}.jpeg", "NORMAL PNEUMONIA"),
    val=images("chest_xray/val/{c}/v{i}.jpeg", "NORMAL PNEUMONIA"),
    test=images("chest_xray/test/{c}/t{i}.jpeg", "NORMAL PNEUMONIA"),
)
reads(
    "train and test images",
    {},
    train=images("train_images/{c}/{i}.png"),
    val=images("val_images/{c}/{i}.png"),
    test=images("test_images/{c}/{i}.png"),
)
reads(
    "a table that says what the folders say",
    {"index.csv": rows(A, "{path},{c},{i}", "path,kind,n")},
    train=A,
)
reads("CVAT's ImageNet", {"synsets.txt": "cat\ndog\n"}, train=images("{c}/{i}.png"))
reads(
    "notes of a camera",
    {"exif.csv": rows(images("{c}/{i}.png"), "{name},{i}.{i}5", "file,exposure")},
    train=images("{c}/{i}.png"),
)

REFUSED: dict[str, tuple[Files, str]] = {
    "several columns": (
        {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{c},{i}", "filename,label,target")},
        r"filename names images, but which column has their labels: label, target\? --label-column takes one, such as 'label' or 'target'$",
    ),
    "two tables": (
        {
            **dict.fromkeys(FLAT),
            "a.csv": rows(FLAT, "{name},{c}", "file,label"),
            "b.csv": rows(FLAT, "{name},{c}", "file,label"),
        },
        r"a\.csv and b\.csv both have labels",
    ),
    "several classes in a row": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{stem},1,0,0", "image,a,b,c").replace(
                "im003,1,0,0", "im003,1,1,0"
            ),
        },
        r"l\.csv: row 5 is of 2 classes \(a, b\), but an image has one class",
    ),
    "no class in a row": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{stem},1,0,0", "image,a,b,c").replace(
                "im003,1,0,0", "im003,0,0,0"
            ),
        },
        r"row 5 is of none, but",
    ),
    "attributes": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": "image_id,Bald,Male,Old\n"
            + "".join(
                f"{Path(p).stem},{i % 2},{i // 2 % 2},{i // 4 % 2}\n" for i, p in enumerate(FLAT)
            ),
        },
        r"which column has their labels",
    ),
    "a number per image": (
        {**dict.fromkeys(FLAT), "l.csv": rows(FLAT, "{name},{i}.5", "file,angle")},
        r"names images, but has no column of labels beside that \(columns: file, angle\)",
    ),
    "a column that is not there": (
        {
            **dict.fromkeys(FLAT),
            "l.csv": rows(FLAT, "{name},{c}", "file,label"),
            "--label-column": "kind",
        },
        r"no column 'kind' to take labels from; it has file, label$",
    ),
    "spreadsheet called .csv": ({"set.csv": b"PK\x03\x04"}, r"set\.csv: is called \.csv, but is a"),
    "train and test without labels": (
        {**dict.fromkeys(["train/1.png", "train/2.png", "test1/1.png", "test1/2.png"])},
        r"train: holds no class folders .*such as 1\.png, whose names have no labels: .*labels\.csv",
    ),
    "splits of one set": (
        {**dict.fromkeys(["bus_train/1.png", "bus_train/2.png", "bus_test/1.png"])},
        r"bus_train: holds no class folders",
    ),
    "images and masks": (
        {**dict.fromkeys(["images/1.png", "images/2.png", "masks/1.png", "masks/2.png"])},
        r"images and masks are no class folders",
    ),
    "parts of a set": (
        {**dict.fromkeys(["part_1/1.png", "part_1/2.png", "part_2/1.png", "part_2/2.png"])},
        r"part_1 and part_2 seem to be parts of one set, not classes",
    ),
    "images of a camera": (
        {**dict.fromkeys([f"IMG_{i}.jpg" for i in range(4)] + [f"DSC_{i}.jpg" for i in range(4)])},
        r"holds 8 images, but no class folders",
    ),
    "YOLO detect": (
        {
            **dict.fromkeys(
                [f"train/images/{i}.jpg" for i in range(4)]
                + [f"valid/images/{i}.jpg" for i in range(4)]
            ),
            **dict.fromkeys([f"train/labels/{i}.txt" for i in range(4)], "0 0.5 0.5 0.1 0.1"),
            "data.yaml": "names: [a]",
        },
        r"train: holds no class folders",
    ),
    "boxes of several objects": (
        {
            **dict.fromkeys(FLAT),
            "b.csv": rows(FLAT, "{name},1,2,{c}", "filename,xmin,ymin,class") * 2,
        },
        r"b\.csv: row \d+: .*",
    ),
    "classes of classes": (
        {
            **dict.fromkeys(
                [
                    f"{a}/{b}/{i}.png"
                    for a, b in (
                        ("animals", "cat"),
                        ("animals", "dog"),
                        ("things", "cup"),
                        ("things", "pen"),
                    )
                    for i in range(2)
                ]
            )
        },
        r"animals: holds no images itself, but 4 in its folders \(cat and dog, \.\.\.\); give",
    ),
    "copies in other colours": (
        {
            **dict.fromkeys(
                [
                    f"{a}/{b}/{i}.png"
                    for a in ("color", "grayscale")
                    for b in ("x", "y")
                    for i in range(2)
                ]
            )
        },
        r"color: holds no images itself",
    ),
    "a partition of numbers": (
        {
            **dict.fromkeys(FLAT),
            "p.csv": rows(FLAT, "{name},{c},{code}", "image_id,label,partition"),
        },
        r"column 'partition' seems to tell the splits",
    ),
    "a pointer of Git LFS": (
        {"set.csv": "version https://git-lfs.github.com/spec/v1\n"},
        "only a pointer to a file that Git LFS keeps",
    ),
    "a page instead of a table": (
        {"train.csv": "<!DOCTYPE html><html>log in</html>"},
        r"train\.csv: is called \.csv, but is a web page",
    ),
    "a lone spreadsheet": (
        {"set.xlsx": b"PK\x03\x04"},
        r"set\.xlsx: is a spreadsheet; save it as CSV",
    ),
}


def written(root: Path, files: Mapping[str, str | bytes | None]) -> dict[str, int]:
    """Write the files; returns the grey of each image."""
    greys = {}
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            greys[path] = len(greys)
            pixels = np.full((3, 4), greys[path], np.uint8)
            pixels[-1, -1] = 255
            Image.fromarray(pixels).save(target, "PNG")
        elif isinstance(text, bytes):
            target.write_bytes(text)
        else:
            target.write_text(text, encoding="utf-8", newline="")
    return greys


@pytest.mark.parametrize("name", READ)
def test_is_read_exactly_right(tmp_path: Path, name: str) -> None:
    layout = READ[name]
    greys = written(tmp_path / "set", layout.files)
    dataset = load(tmp_path / "set", label_column=layout.label_column)
    splits = dataset.official_splits or {"train": slice(0, len(dataset))}
    read = {
        split: {
            int(image[0, 0]): dataset.class_names[k]
            for image, k in zip(dataset.images[where], dataset.labels[where].tolist(), strict=True)
        }
        for split, where in splits.items()
    }
    assert read == {
        split: {greys[path]: label for path, label in of.items()}
        for split, of in layout.labels.items()
    }
    assert len(dataset) == sum(len(of) for of in read.values())


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    files, message = REFUSED[name]
    column = files.get("--label-column")
    written(tmp_path / "set", {path: text for path, text in files.items() if path[:2] != "--"})
    with pytest.raises(DataError) as caught:
        load(tmp_path / "set", label_column=str(column) if column else None)
    said = str(caught.value)
    assert "\n" not in said
    assert re.search(message, said)
