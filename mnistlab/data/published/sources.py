"""Every data set known by name: where it is published, and its hashes.

A new set is one entry of SOURCES; a new file format is one decoder in `named.py`. Where it is
known, the hash is that of the *decompressed* content, because packagers compress files anew; else
that of the file as published.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Literal

Format = Literal["idx", "qmnist", "emnist", "usps", "digits", "embedded"]


@dataclass(frozen=True)
class File:
    """One published file. `content` and `wrapper` are hashes, "sha256:..." or "md5:..."."""

    name: str
    content: str = ""  # of the decompressed bytes
    wrapper: str = ""  # of the file as published


@dataclass(frozen=True)
class Source:
    """A published data set.

    `mirrors` are base URLs that end in a slash. `folder` is what its folder is
    called in the cache and in MNISTLAB_DATA. `n_test` is 0 where no test part
    is published. `archive` is one file that yields all of `files`.
    """

    title: str
    format: Format
    n_train: int
    n_test: int
    class_names: tuple[str, ...]
    licence: str
    origin: str
    folder: str = ""
    files: tuple[File, ...] = ()
    mirrors: tuple[str, ...] = ()
    archive: File | None = None


def _idx_files(*hashes: str, kind: Literal["content", "wrapper"]) -> tuple[File, ...]:
    """The four files of an MNIST look-alike, in the order train, test; images before labels."""
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    return tuple(
        File(f"{name}-ubyte.gz", **{kind: f"sha256:{digest}"})
        for name, digest in zip(names, hashes, strict=True)
    )


MNIST_FILES = _idx_files(
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    kind="content",
)
DIGITS = tuple(string.digits)
GARMENTS = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
CHARACTERS = (*DIGITS, *string.ascii_uppercase, *string.ascii_lowercase)
# Classes 10 to 46 of EMNIST's merged splits: lower case only where it looks unlike upper case.
MERGED = (*DIGITS, *string.ascii_uppercase, *"abdefghnqrt")


def _emnist(split: str, class_names: tuple[str, ...], n_train: int, n_test: int) -> Source:
    return Source(
        title=f"EMNIST {split}, handwritten characters of NIST Special Database 19",
        format="emnist",
        n_train=n_train,
        n_test=n_test,
        class_names=class_names,
        licence="public domain (NIST)",
        origin="Cohen et al. 2017, arXiv:1702.05373",
        folder="emnist",
        files=(File("gzip.zip", wrapper="md5:58c8d27c78d21e728a6bc7b3cc06412e"),),
        mirrors=(
            "https://biometrics.nist.gov/cs_links/EMNIST/",
            "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
        ),
    )


SOURCES: dict[str, Source] = {
    "mnist": Source(
        title="MNIST, handwritten digits",
        format="idx",
        n_train=60_000,
        n_test=10_000,
        class_names=DIGITS,
        licence="none stated; commonly given as CC BY-SA 3.0",
        origin="LeCun, Cortes and Burges 1998, http://yann.lecun.com/exdb/mnist/",
        folder="mnist",
        files=MNIST_FILES,
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
    ),
    "fashion-mnist": Source(
        title="Fashion-MNIST, articles of clothing",
        format="idx",
        n_train=60_000,
        n_test=10_000,
        class_names=GARMENTS,
        licence="MIT, Zalando SE 2017",
        origin="Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
        folder="fashion-mnist",
        files=_idx_files(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            kind="content",
        ),
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    "kmnist": Source(
        title="Kuzushiji-MNIST, cursive Japanese characters",
        format="idx",
        n_train=60_000,
        n_test=10_000,
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        licence="CC BY-SA 4.0",
        origin="Clanuwat et al. 2018, arXiv:1812.01718",
        folder="kmnist",
        files=_idx_files(
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            kind="wrapper",
        ),
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
    ),
    "emnist-balanced": _emnist("balanced", MERGED, 112_800, 18_800),
    "emnist-letters": _emnist("letters", tuple(string.ascii_lowercase), 124_800, 20_800),
    "emnist-digits": _emnist("digits", DIGITS, 240_000, 40_000),
    "emnist-byclass": _emnist("byclass", CHARACTERS, 697_932, 116_323),
    "emnist-bymerge": _emnist("bymerge", MERGED, 697_932, 116_323),
    "emnist-mnist": _emnist("mnist", DIGITS, 60_000, 10_000),
    "qmnist": Source(
        title="QMNIST, MNIST rebuilt from its source with 60,000 test digits",
        format="qmnist",
        n_train=60_000,
        n_test=60_000,
        class_names=DIGITS,
        licence="BSD-3-Clause",
        origin="Yadav and Bottou 2019, arXiv:1905.10498",
        folder="qmnist",
        files=(
            File(
                "qmnist-train-images-idx3-ubyte.gz",
                wrapper="sha256:9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d",
            ),
            File(
                "qmnist-train-labels-idx2-int.gz",
                wrapper="sha256:2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f",
            ),
            File(
                "qmnist-test-images-idx3-ubyte.gz",
                wrapper="sha256:43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375",
            ),
            File(
                "qmnist-test-labels-idx2-int.gz",
                wrapper="sha256:9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06",
            ),
        ),
        mirrors=(
            "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
            "https://github.com/facebookresearch/qmnist/raw/master/",
        ),
    ),
    "usps": Source(
        title="USPS, digits scanned from envelopes, 16 x 16",
        format="usps",
        n_train=7_291,
        n_test=2_007,
        class_names=DIGITS,
        licence="none stated",
        origin="Hull 1994, doi:10.1109/34.291440",
        folder="usps",
        files=(
            File(
                "usps.bz2",
                wrapper="sha256:3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
            ),
            File(
                "usps.t.bz2",
                wrapper="sha256:a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
            ),
        ),
        mirrors=(
            "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",
            "http://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/",
        ),
    ),
    "mnist_784": Source(
        title="MNIST as OpenML data set 554, train then test",
        format="idx",
        n_train=60_000,
        n_test=10_000,
        class_names=DIGITS,
        licence="none stated; commonly given as CC BY-SA 3.0",
        origin="https://www.openml.org/d/554",
        folder="mnist",
        files=MNIST_FILES,
        archive=File("mnist_784.arff", content="md5:0298d579eb1b86163de7723944c7e495"),
        mirrors=(
            "https://openml.org/data/v1/download/52667/",
            "https://api.openml.org/data/v1/download/52667/",
            "https://www.openml.org/data/download/52667/",
        ),
    ),
    "digits": Source(
        title="Optical digits of the UCI repository, 8 x 8, in scikit-learn",
        format="digits",
        n_train=1_797,
        n_test=0,
        class_names=DIGITS,
        licence="CC BY 4.0",
        origin="Alpaydin and Kaynak 1998, doi:10.24432/C50P49",
    ),
    "fashion-mini": Source(
        title="7,000 images of Fashion-MNIST, inside the package",
        format="embedded",
        n_train=6_000,
        n_test=1_000,
        class_names=GARMENTS,
        licence="MIT, Zalando SE 2017",
        origin="Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747",
    ),
}
