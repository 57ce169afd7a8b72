"""What 8-bit grey pixels do not hold of the image files of a data set, counted for its notes."""

from __future__ import annotations

from dataclasses import dataclass

from mnistlab.data.readers import levels
from mnistlab.errors import DataError


@dataclass
class Depths:
    """Counts the images of a data set that 8-bit grey pixels do not hold completely.

    n_deep: images of 16 or 32 bits per pixel. highest: their highest value, 0..65535.
    n_wide: those of them of 32 bits.
    n_floats, n_fractions: images of floats, and those of them in 0..1. highest_fraction: of these.
    n_paged, n_moving: TIFF files of several pages, and animations; the first image is taken.
    n_on_white, n_on_black: transparent images, by the background they were put on.
    """

    n_deep: int = 0
    n_wide: int = 0
    highest: int = 0
    n_floats: int = 0
    n_fractions: int = 0
    highest_fraction: float = 0
    n_paged: int = 0
    n_moving: int = 0
    n_on_white: int = 0
    n_on_black: int = 0

    def notes(self) -> list[str]:
        """What the user should know, for the whole data set at once."""
        said = []
        if n := self.n_deep:
            said.append(f"{n} image{'s' * (n > 1)} of {self._bits}: divided by 257, to 0..255")
        if n := self.n_fractions:
            clipped = levels.clipped_note(self.highest_fraction)
            said.append(f"{n} image{'s' * (n > 1)} of floats 0..1: multiplied by 255{clipped}")
        if n := self.n_paged:
            said.append(f"{n} TIFF file{'s' * (n > 1)} of several pages: the first page was taken")
        if n := self.n_moving:
            said.append(f"{n} animation{'s' * (n > 1)}: the first frame was taken")
        if self.n_on_white and self.n_on_black:  # networks take the polarity for the shape
            said.append(
                f"transparent images: {self.n_on_white} of dark strokes are put on white, "
                f"{self.n_on_black} of light ones on black"
            )
        return said

    @property
    def _bits(self) -> str:
        return f"{32 if self.n_wide == self.n_deep else 16} bits a pixel"

    def check(self, where: str) -> None:
        """DataError where 16-bit images would become nearly black, or floats have two scales."""
        if self.n_deep and self.highest < levels.DARK_IN_16_BITS:
            # Whole numbers up to 255 in 32 bits are levels of 8 bits, saved wastefully.
            is_8_bit = self.n_wide == self.n_deep and self.highest <= 255
            scale = "" if is_8_bit else f" * (255 / {max(self.highest, 1)})"
            raise DataError(
                f"{where}: its images of {self._bits} go up to {self.highest} of 65535 and "
                f"would be nearly black; save them with 8 bits: "
                f"Image.fromarray(np.uint8(np.asarray(image){scale}))"
            )
        if 0 < self.n_fractions < self.n_floats:
            raise DataError(
                f"{where}: {self.n_fractions} of its {self.n_floats} images of floats "
                f"{'is' if self.n_fractions == 1 else 'are'} in 0..1"
                ", the others go up to 255; save all of them with 8 bits"
            )
