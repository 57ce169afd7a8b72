"""Exports of labelling tools and published sets with their own tables: read exactly right."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from layouts import (
    CODES,
    FLAT,
    A,
    B,
    C,
    Layout,
    check_read,
    images,
    reads,
    rows,
    unread,
)

READ: dict[str, Layout] = {}

# Hugging Face, Roboflow, Label Studio, CUB and the like.
face = {split: images(f"{split}/{{i:04d}}.png") for split in ("train", "validation", "test")}
reads(
    READ,
    "metadata.csv in each split",
    {f"{s}/metadata.csv": rows(of, "{name},{c}", "file_name,label") for s, of in face.items()},
    train=face["train"],
    val=face["validation"],
    test=face["test"],
)
reads(
    READ,
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
    READ,
    "captions beside class folders",
    {"train/metadata.csv": rows(A, "{c}/{name},a photo of number {i}", "file_name,text")},
    train=A,
    test=C,
)
bits = {"cat": "1, 0", "dog": "0, 1"}
robo = {split: images(f"{split}/im{{i}}_jpg.rf.0a.jpg") for split in ("train", "valid", "test")}
reads(
    READ,
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
reads(READ, "YOLO classify", {"data.yaml": "names: [cat, dog]"}, train=A, val=B, test=C)
reads(
    READ,
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
reads(READ, "Label Studio JSON", {"project-1.json": json.dumps(tasks)}, train=FLAT)
coco = {
    "images": [{"id": i, "file_name": Path(p).name, "width": 9} for i, p in enumerate(FLAT)],
    "annotations": [
        {"id": i, "image_id": i, "category_id": CODES[c] + 1} for i, c in enumerate(FLAT.values())
    ],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
}
reads(READ, "COCO, one class per image", {"annotations.json": json.dumps(coco)}, train=FLAT)
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
reads(READ, "CUB", cub, train=bird_train, test=bird_test)
reads(
    READ,
    "CUB in its folder",
    {f"CUB_200_2011/{p}": t for p, t in cub.items()},
    train={f"CUB_200_2011/{p}": c for p, c in bird_train.items()},
    test={f"CUB_200_2011/{p}": c for p, c in bird_test.items()},
)
food = images("food-101/images/{c}/{i}.jpg", n=12)
food_train = {p: c for i, (p, c) in enumerate(food.items()) if i < 8}
food_test = {p: c for i, (p, c) in enumerate(food.items()) if i >= 8}
reads(
    READ,
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
    READ,
    "lists of Paddle",
    {
        "train_list.txt": rows(dict([*flowers.items()][:8]), "{path} {code}"),
        "val_list.txt": rows(dict([*flowers.items()][8:]), "{path} {code}"),
    },
    train={p: str(CODES[c]) for p, c in [*flowers.items()][:8]},
    val={p: str(CODES[c]) for p, c in [*flowers.items()][8:]},
)
tiny_val = images("val/images/val_{i}.JPEG", "n014 n017", 6)
tiny = images("train/{c}/images/{c}_{k}.JPEG", "n014 n017", 8)
reads(
    READ,
    "Google AutoML",
    {
        "import.csv": "".join(
            f"{'TRAIN' if i < 8 else 'TEST'},gs://bucket/{Path(p).name},{c}\n"
            for i, (p, c) in enumerate(FLAT.items())
        )
    },
    train=dict([*FLAT.items()][:8]),
    test=dict([*FLAT.items()][8:]),
)

boxes = {
    f"train/{c}/{c}_boxes.txt": "".join(f"{c}_{k}.JPEG\t0\t0\t62\t62\n" for k in range(4))
    for c in ("n014", "n017")
}
tiny_files = {"val/val_annotations.txt": rows(tiny_val, "{name}\t{c}\t0\t32\t44\t62")}
tiny_files |= {"wnids.txt": "n014\nn017\n", "words.txt": "n014\tcat\nn017\tdog\n", **boxes}
reads(
    READ,
    "tiny-imagenet",
    {**tiny_files, **unread("test/images/test_{i}.JPEG")},
    train=tiny,
    val=tiny_val,
)
packed = io.BytesIO()
columns = {"file_name": [Path(p).name for p in FLAT], "label": [*FLAT.values()]}
pl.DataFrame(columns).write_parquet(packed)
reads(READ, "metadata.parquet", {"metadata.parquet": packed.getvalue()}, train=FLAT)
items = [{"f": Path(path).name, "c": c} for path, c in FLAT.items()]
reads(READ, "JSON within JSON", {"m.json": json.dumps({"data": {"items": items}})}, train=FLAT)
records = {Path(path).name: {"label": c, "w": 3} for path, c in FLAT.items()}
reads(READ, "JSON of records by name", {"m.json": json.dumps(records)}, train=FLAT)
flower_names = json.dumps({str(i): f"flower {i}" for i in range(1, 6)})
reads(
    READ,
    "names of classes in JSON",
    {"cat_to_name.json": flower_names},
    train=images("{c}/{k}.jpg", "1 2 3 4 5", 20),
)


@pytest.mark.parametrize("name", READ)
def test_is_read_exactly_right(tmp_path: Path, name: str) -> None:
    check_read(tmp_path / "set", READ[name])
