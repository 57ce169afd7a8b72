"""Images with tables of labels as competitions hand them out: each is read exactly right."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from layouts import (
    CODES,
    FLAT,
    TEST,
    A,
    C,
    Files,
    Layout,
    T,
    check_read,
    images,
    reads,
    rows,
    unread,
)

READ: dict[str, Layout] = {}

# Tables beside images.
meta = "{i},{stem},{c},histo,{i}0.0,male"
parts = images("HAM10000_images_part_1/ISIC_{i:05d}.jpg", "nv mel bkl", 15)
parts |= images("HAM10000_images_part_2/ISIC_1{i:05d}.jpg", "nv mel bkl", 15)
head = "lesion_id,image_id,dx,dx_type,age,sex"
reads(READ, "HAM10000", {"HAM10000_metadata.csv": rows(parts, meta, head)}, train=parts)
reads(
    READ,
    "cp1252",
    {"l.csv": rows(FLAT, "{name},{c}", "filename,label").replace("cat", "Größe").encode("cp1252")},
    train={p: c.replace("cat", "Größe") for p, c in FLAT.items()},
)
reads(
    READ, "UTF-16", {"l.csv": rows(FLAT, "{name};{c}", "Datei;Klasse").encode("utf-16")}, train=FLAT
)
reads(READ, "German", {"liste.csv": rows(FLAT, "{name};{c}", "Datei;Klasse")}, train=FLAT)
reads(
    READ,
    "Excel's sep",
    {"liste.csv": "sep=;\n" + rows(FLAT, "{name};{c}", "Datei;Klasse")},
    train=FLAT,
)
reads(
    READ,
    "JSON object",
    {"labels.json": json.dumps({Path(p).name: c for p, c in FLAT.items()})},
    train=FLAT,
)
reads(
    READ,
    "JSON records",
    {"labels.json": json.dumps([{"file": Path(p).name, "label": c} for p, c in FLAT.items()])},
    train=FLAT,
)
reads(
    READ,
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
    READ,
    "JSON of columns",
    {"labels.json": json.dumps({"filename": [*FLAT], "label": [*FLAT.values()]})},
    train=FLAT,
)
reads(
    READ,
    "JSON by class",
    {
        "labels.json": json.dumps(
            {c: [Path(p).stem for p, name in FLAT.items() if name == c] for c in ("cat", "dog")}
        )
    },
    train=FLAT,
)
reads(
    READ,
    "StyleGAN's dataset.json",
    {
        "dataset.json": json.dumps(
            {"labels": [[p.removeprefix("images/"), CODES[c]] for p, c in FLAT.items()]}
        )
    },
    train={p: str(CODES[c]) for p, c in FLAT.items()},
)
reads(
    READ,
    "FiftyOne",
    {
        "labels.json": json.dumps(
            {"classes": ["cat", "dog"], "labels": {Path(p).stem: CODES[c] for p, c in FLAT.items()}}
        )
    },
    train=FLAT,
)
reads(
    READ,
    "JSON lines",
    {
        "metadata.jsonl": "".join(
            json.dumps({"file_name": p, "label": c}) + "\n" for p, c in FLAT.items()
        )
    },
    train=FLAT,
)
reads(READ, "list of text", {"labels.txt": rows(FLAT, "{name} {c}")}, train=FLAT)
reads(READ, "list with tabs", {"labels.txt": rows(FLAT, "{path}\t{c}")}, train=FLAT)
spaced = images("my images/a photo {i}.png", n=12)
reads(READ, "names with spaces", {"labels.txt": rows(spaced, "{name} {c}")}, train=spaced)
reads(
    READ,
    "pandas' index",
    {"labels.csv": rows(FLAT, "{i},{name},{c}", ",filename,label")},
    train=FLAT,
)
reads(
    READ,
    "code and name of a class",
    {"labels.csv": rows(FLAT, "{name},{code},{c}", "Filename,Label,ClassName")},
    train={p: str(CODES[c]) for p, c in FLAT.items()},
)
reads(
    READ,
    "capitals",
    {"l.csv": rows(FLAT, "{name},{c}", "FILE,KIND").replace(".png", ".PNG")},
    train=FLAT,
)
reads(READ, "other ending", {"l.csv": rows(FLAT, "{stem}.jpg,{c}", "file,kind")}, train=FLAT)
reads(
    READ,
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
    READ,
    "ISIC 2018",
    {
        "ISIC2018_Task3_Training_GroundTruth/ISIC2018_Task3_Training_GroundTruth.csv": isic_table,
        "ISIC2018_Task3_Training_GroundTruth/LICENSE.txt": "CC0",
    },
    train=isic,
)
isic_meta = "image,age_approx,anatom_site_general,lesion_id,sex\n" + "".join(
    f"{Path(p).stem},{i}5,{'head' if i % 3 else 'torso'},L{i // 2},{'mf'[i % 2]}\n"
    for i, p in enumerate(isic)
)
reads(
    READ,
    "ISIC 2019",
    {
        "ISIC_2019_Training_GroundTruth.csv": isic_table,
        "ISIC_2019_Training_Metadata.csv": isic_meta,
    },
    train=isic,
)
reads(
    READ,
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
    READ,
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
    READ,
    "same names in train and test",
    {"trainLabels.csv": rows(same, "{stem},{c}", "id,label"), **unread("test/{i}.png", 5)},
    train=same,
)
reads(
    READ,
    "same names, one table each",
    {
        "train.csv": rows(same, "{name},{c}", "img,level"),
        "test.csv": rows(images("test/{i}.png"), "{name}", "img"),
        **unread("test/{i}.png", 6),
    },
    train=same,
)
reads(
    READ,
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
    READ,
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
SIGNS = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
line, head = "28,28,5,6,20,22,{c},{path}", SIGNS
signs = {
    "Train.csv": rows(sign, line, head),
    "Test.csv": rows(sign_test, line, head),
    "Meta.csv": "Path,ClassId,ShapeId,ColorId,SignId\n"
    + "".join(f"Meta/{c}.png,{c},0,0,1.1\n" for c in (0, 1, 20)),
    "Meta/0.png": None,
    "Meta/1.png": None,
    "Meta/20.png": None,
}
reads(READ, "GTSRB", signs, train=sign, test=sign_test)
original = images("Final_Training/Images/{c}/{k:05d}.ppm", "00000 00001", 8)
tables: Files = {}
for one in ("00000", "00001"):
    own = {p: c for p, c in original.items() if c == one}
    tables[f"Final_Training/Images/{one}/GT-{one}.csv"] = rows(
        own,
        "{name};29;30;5;6;24;25;" + str(int(one)),
        "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId",
    )
reads(READ, "GTSRB as published", tables, train={p: str(int(c)) for p, c in original.items()})
whales = images("train/w{i}.jpg", "w_1287 w_98ba new_whale", 12)
reads(
    READ,
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
    READ,
    "dog breeds",
    {"labels.csv": rows(breeds, "{stem},{c}", "id,breed"), **unread("test/f{i}.jpg")},
    train=breeds,
)
xray = images("images_001/images/0000{i:04d}_000.png", "Mass Effusion", 12) | images(
    "images_002/images/0001{i:04d}_000.png", "Mass Effusion", 12
)
reads(
    READ,
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
    READ,
    "column given by its number",
    {"list.txt": rows(FLAT, "{stem} {code} 1 {c}"), "--label-column": "4"},
    train=FLAT,
)
uuid = images("jpeg/i{i}.jpg", "benign malignant", 12)
reads(
    READ,
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
    READ,
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
    READ,
    "fastai's MNIST sample",
    {"labels.csv": rows(sample | sample_valid, "{path},{c}", "name,label")},
    train=sample | sample_valid,
)
nfd = {p.replace("im", "ä"): c for p, c in FLAT.items()}
reads(
    READ,
    "Unicode forms",
    {"l.csv": rows(nfd, "{name},{c}", "file,label").replace("ä", "a\u0308")},
    train=nfd,
)

reads(
    READ,
    "GTSRB whose training images have only folders",
    {"Test.csv": rows(sign_test, line, SIGNS)},
    train=sign,
    test=sign_test,
)
planet = {
    path: c.replace("_", " ") for path, c in images("jpg/t_{i}.jpg", "clear haze_road").items()
}
reads(READ, "planet", {"train_v2.csv": rows(planet, "{stem},{c}", "image_name,tags")}, train=planet)
reads(
    READ,
    "lines above the header",
    {"l.csv": "My labels\n\nof 2026\n" + rows(FLAT, "{name},{c}", "file,label")},
    train=FLAT,
)
reads(READ, "YAML", {"labels.yaml": rows(FLAT, '"{name}": {c}')}, train=FLAT)
reads(
    READ,
    "gzip",
    {"labels.csv.gz": gzip.compress(rows(FLAT, "{name},{c}", "file,label").encode())},
    train=FLAT,
)
nih = dict([*xray.items()][:16]), dict([*xray.items()][16:])
reads(
    READ,
    "NIH's chest X-rays",
    {
        "Data_Entry_2017.csv": rows(xray, "{name},{c},{i}", "Image Index,Finding Labels,Number"),
        "train_val_list.txt": rows(nih[0], "{name}"),
        "test_list.txt": rows(nih[1], "{name}"),
    },
    train=nih[0],
    test=nih[1],
)
names_only = rows(images("test/{i}.png"), "{name},{i}", "file,width")
reads(READ, "a list of test images", {"test.csv": names_only, **unread("test/{i}.png", 6)}, train=A)
other = rows(C, "{name},{c}", "image,sort")
reads(
    READ,
    "other headings in the table of test",
    {"train.csv": rows(A, "{name},{c}", "file,kind"), "test.csv": other},
    train=A,
    test=C,
)
reads(
    READ,
    "empty columns",
    {"l.csv": rows(FLAT, "{stem},,,{c}", "patientId,x,y,Target")},
    train=FLAT,
)
reads(
    READ,
    "lines within quotes",
    {"l.csv": rows(FLAT, '{name},{c},"a\nb {i}"', "file,label,text")},
    train=FLAT,
)


@pytest.mark.parametrize("name", READ)
def test_is_read_exactly_right(tmp_path: Path, name: str) -> None:
    check_read(tmp_path / "set", READ[name])
