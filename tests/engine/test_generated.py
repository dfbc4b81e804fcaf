"""What is drawn or made by formula: the same seed gives the same data, and every factor says the truth."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from engine.core.params import specs
from engine.core.text import InputError, Text
from engine.data import faces, raster, signals, sprites, textures
from engine.data.registry import Dataset, load, sources

SETS = ("sprites", "faces", "signals", "textures")
SHAPE = {"sprites": (3, 32, 32), "faces": (3, 48, 48), "signals": (256,), "textures": (1, 32, 32)}
CHOICES = [
    ("sprites", {"ground": "plain"}),
    ("sprites", {"ground": "textured"}),
    ("faces", {"people": "one"}),
    ("faces", {"classes": "mood", "glasses": 0.5}),
    ("signals", {"noise": 0.4}),
    ("textures", {"defects": 0.5, "grain": 0.2}),
    *(("textures", {"pattern": str(name), "defects": 1.0}) for name in textures.PATTERNS),
]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path_factory.mktemp("cache")))


def few(name: str, n: int = 300, seed: int = 3, **params) -> Dataset:
    return load(name, seed=seed, params={"n": n, **params})


def factor(data: Dataset, name: str) -> np.ndarray:
    return next(f for f in data.factors if f.name == name).values.numpy()


# ── all of them ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("name", "params"), [*((name, {}) for name in SETS), *CHOICES])
def test_shapes_ranges_and_factors(name, params):
    data = few(name, **params)
    assert data.x.shape == (300, *SHAPE[name])
    assert data.x.dtype == torch.float32
    assert bool(torch.isfinite(data.x).all())
    assert (-1 if data.kind == "signals" else 0) <= float(data.x.min()) < float(data.x.max()) <= 1
    assert data.y.dtype == torch.int64
    assert set(data.y.tolist()) == set(range(len(data.names)))
    assert data.total == 300
    assert len({f.name for f in data.factors}) == len(data.factors)
    for f in data.factors:
        assert isinstance(f.title, Text)
        assert f.values.shape == (300,)
        assert f.values.dtype == torch.float32
        assert f.low <= float(f.values.min()) <= float(f.values.max()) <= f.high, f.name


@pytest.mark.parametrize("name", SETS)
def test_same_seed_same_data_from_the_cache_and_without_it(name, tmp_path, monkeypatch):
    first, kept = few(name, n=130), few(name, n=130)
    monkeypatch.setenv("LATENTARIUM_CACHE", str(tmp_path / "empty"))
    for again in (kept, few(name, n=130)):
        assert torch.equal(first.x, again.x)
        assert torch.equal(first.y, again.y)
        for a, b in zip(first.factors, again.factors, strict=True):
            assert torch.equal(a.values, b.values)
        assert first.captions == again.captions
    assert not torch.equal(first.x, few(name, n=130, seed=4).x)


@pytest.mark.parametrize("name", SETS)
def test_the_knobs_are_declared_and_obeyed(name):
    assert {k.name for k in specs(sources()[name].params_class)} >= {"n"}
    assert not any(k.live for k in sources()[name].knobs)
    assert all(isinstance(k.label, Text) and k.help.endswith(".") for k in sources()[name].knobs)
    assert len(few(name, n=100).x) == 100
    with pytest.raises(InputError, match="n ="):
        few(name, n=99)


@pytest.mark.parametrize("name", SETS)
def test_telling_goes_from_little_to_all_and_may_stop_the_work(name):
    told: list[float] = []
    load(name, params={"n": 200}, tell=told.append)
    assert told == sorted(told)
    assert told[-1] == 1

    def cancel(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(name, seed=9, params={"n": 200}, tell=cancel)


@pytest.mark.parametrize("name", SETS)
def test_the_hover_card_has_a_picture(name):
    picture = few(name, n=100).item(5).picture
    assert picture.ndim in (2, 3)
    assert 0 <= picture.min() < picture.max() <= 1


def test_factors_are_drawn_without_regard_to_each_other():
    for name in ("sprites", "faces"):
        data = few(name, n=4000)
        values = np.stack([f.values.numpy() for f in data.factors if f.values.std() > 0])
        off = np.corrcoef(values) - np.eye(len(values))
        assert np.abs(off).max() < 0.06


# ── sprites ───────────────────────────────────────────────────────────────────────────────────────────────


def sprite(**changes) -> np.ndarray:
    """One shape on plain ground, (3, 32, 32) in 0..1; several when a change is an array."""
    count = max(np.size(v) for v in changes.values()) if changes else 1
    base = {"shape": 1, "colour": 0, "size": 6, "x": 0, "y": 0, "rotation": 0, "textured": 0} | changes
    found = {k: np.broadcast_to(np.float32(v), (count,)).astype(np.float32) for k, v in base.items()}
    return sprites.draw(found, 0) / 255.0


def ink(pictures: np.ndarray) -> np.ndarray:
    """How much a picture of a red shape differs from its own corner, (N, H, W) in 0..1."""
    found: np.ndarray = np.abs(pictures - pictures[:, :, :1, :1]).max(1)
    return found / found.max((1, 2), keepdims=True)


def middle(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The centre of mass, from the left and from the top in pixels, (N,) each."""
    total, at = weights.sum((1, 2)), np.arange(weights.shape[1]) + 0.5
    return (weights.sum(1) * at).sum(1) / total, (weights.sum(2) * at).sum(1) / total


@pytest.mark.parametrize("shape", range(6))
def test_position_and_size_are_where_the_factors_say(shape):
    places = np.linspace(-1, 1, 9)
    # Small, as a large one may touch the border.
    across, down = middle(ink(sprite(shape=shape, size=5, x=places, y=places[::-1])))
    np.testing.assert_allclose(across, 16 + sprites.REACH * places, atol=0.3)
    np.testing.assert_allclose(down, 16 + sprites.REACH * places, atol=0.7)  # a triangle's mass is not midway
    area = ink(sprite(shape=shape, size=np.linspace(3.5, 8.5, 9))).sum((1, 2))
    assert (np.diff(area) > 0).all()
    assert area[-1] > 4 * area[0]


def test_colours_are_as_named():
    pictures = sprite(colour=np.arange(8), size=8)
    found = pictures[:, :, 14:18, 14:18].mean((2, 3))  # (8, 3)
    np.testing.assert_allclose(found, list(sprites.COLOURS.values()), atol=0.08)


def test_rotation_is_anticlockwise():
    # The right end of a cross's bar goes up.
    at = ink(sprite(shape=5, size=8, rotation=np.array([-20, 0, 20])))[:, :, 21:24]
    rows = (at.sum(2) * np.arange(32)).sum(1) / at.sum((1, 2))
    assert rows[0] > rows[1] + 1
    assert rows[1] > rows[2] + 1


def test_shapes_are_told_apart_even_when_small():
    small = ink(sprite(shape=np.arange(6), size=3.5))
    for i in range(6):
        for j in range(i):
            assert np.abs(small[i] - small[j]).sum() > 3, (i, j)


def test_textured_ground_is_uneven_and_plain_ground_is_not():
    for ground, uneven in (("plain", False), ("textured", True)):
        corner = few("sprites", ground=ground, n=200).x[:, :, :6, :6]
        spread = corner.std((2, 3)).amax(1)
        assert bool((spread.median() > 0.01) == uneven)


LIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [(0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)]
    ),
    "protanopia": np.array(
        [(0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)]
    ),
    "tritanopia": np.array(
        [(1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)]
    ),
}
"""How linear light is seen by each eye, after Machado, Oliveira and Fernandes, 2009."""


@pytest.mark.parametrize("eye", LIGHT)
def test_colours_differ_for_every_eye(eye):
    colours = np.array([*sprites.COLOURS.values(), (0.9, 0.9, 0.9)])  # and the ground
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ LIGHT[eye].T, 0, 1)
    to_xyz = np.array([(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)])
    f = np.cbrt(seen @ to_xyz.T / (0.9505, 1, 1.089) + 1e-9)
    lab = np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(len(lab), 1)]
    assert apart.min() > 12  # about 2 is just noticed side by side


ENGLISH = re.compile(r"a (small|medium-sized|big) (\w+) (\w+) (at|on|in) (.+)")
FRENCH = re.compile(r"(une?) (?:(petite?|grande?) )?(\w+) (\w+)( de taille moyenne)? (à|en|au) (.+)")
NOUNS = {
    "cercle": ("circle", "m"), "carré": ("square", "m"), "triangle": ("triangle", "m"),
    "étoile": ("star", "f"), "anneau": ("ring", "m"), "croix": ("cross", "f"),
}  # fmt: skip
TINTS = {
    "rouge": ("red", "mf"), "orange": ("orange", "mf"), "jaune": ("yellow", "mf"), "vert": ("green", "m"),
    "verte": ("green", "f"), "turquoise": ("turquoise", "mf"), "bleu": ("blue", "m"), "bleue": ("blue", "f"),
    "rose": ("pink", "mf"), "noir": ("black", "m"), "noire": ("black", "f"),
}  # fmt: skip


def sides(words: str) -> tuple[int, int]:
    """−1, 0, 1 across and up, out of a sentence in either language."""
    said = set(re.findall(r"\w+", words))
    across = bool(said & {"right", "droite"}) - bool(said & {"left", "gauche"})
    return across, bool(said & {"top", "haut"}) - bool(said & {"bottom", "bas"})


def test_captions_say_in_both_languages_what_the_factors_are():
    data = few("sprites", n=3000)
    assert set(data.captions) == {"en", "fr"}
    colour, size, x, y = (factor(data, name) for name in ("colour", "size", "x", "y"))
    names = list(sprites.COLOURS)
    for i, (english, french) in enumerate(zip(data.captions["en"], data.captions["fr"], strict=True)):
        grade = 0 if size[i] < sprites.SMALL else 1 if size[i] < sprites.BIG else 2
        place = tuple(0 if abs(v) < sprites.ASIDE else int(np.sign(v)) for v in (x[i], y[i]))
        truth = (data.names[data.y[i]], names[int(colour[i])], grade, place)

        found = ENGLISH.fullmatch(english)
        word, tint, noun, _at, _where = found.groups()
        assert (noun, tint, ("small", "medium-sized", "big").index(word), sides(english)) == truth

        article, word, noun, tint, medium, _at, _where = FRENCH.fullmatch(french).groups()
        assert (word is None) == (medium is not None)
        kind, gender = NOUNS[noun]
        assert article == {"m": "un", "f": "une"}[gender]
        assert gender in TINTS[tint][1]
        assert word in ({"m": ("petit", "grand"), "f": ("petite", "grande")}[gender] + (None,))
        assert (kind, TINTS[tint][0], 1 if word is None else 2 * word.startswith("g"), sides(french)) == truth
    assert len(set(data.captions["en"])) > 800


def test_the_example_in_the_book():
    found = {"shape": 1, "colour": 0, "size": 8, "x": -0.9, "y": 0, "rotation": 0, "textured": 0}
    said = sprites.captions({k: np.float32([v]) for k, v in found.items()})
    assert said == {"en": ("a big red square on the left",), "fr": ("un grand carré rouge à gauche",)}


# ── faces ─────────────────────────────────────────────────────────────────────────────────────────────────

SOMEBODY = {
    "yaw": 0, "pitch": 0, "smile": 0.2, "eyes": 0.8, "brow": 0,
    "skin": 0.3, "style": 1, "length": 0.5, "colour": 0.4, "glasses": 0,
}  # fmt: skip


def sweep(name: str, steps: int = 21, **changes) -> np.ndarray:
    """Faces that differ in one trait from its least to its greatest value, (steps, 3, 48, 48) in 0..1."""
    found = {k: np.full(steps, v, np.float32) for k, v in (SOMEBODY | changes).items()}
    found[name] = np.linspace(*faces.TRAITS[name][1:3], steps).astype(np.float32)
    return faces.draw(found) / 255.0


def marks(pictures: np.ndarray) -> np.ndarray:
    """The darkest parts of bald fair heads: eyes, brows, mouth. (N, H, W) in 0..1."""
    return np.clip((0.45 - pictures[:, :, :40].max(1)) * 5, 0, 1)


def test_yaw_moves_the_face_across_evenly():
    across, down = middle(
        np.pad(marks(sweep("yaw", 11, style=0, skin=0.0, eyes=1.0)), ((0, 0), (0, 8), (0, 0)))
    )
    assert (np.diff(across) > 0.2).all()
    assert across[-1] - across[0] > 10
    assert np.ptp(down) < 2
    assert abs(across[5] - 24) < 0.5


def test_pitch_moves_the_face_up_evenly():
    across, down = middle(
        np.pad(marks(sweep("pitch", 9, style=0, skin=0.0, eyes=1.0)), ((0, 0), (0, 8), (0, 0)))
    )
    assert (np.diff(down) < 0).all()
    assert down[0] - down[-1] > 4
    assert np.ptp(across) < 0.5


def test_a_turned_head_is_the_mirror_image_of_one_turned_the_other_way():
    # But for the light, which comes from the left.
    turned = sweep("yaw", style=0)
    assert np.abs(turned[0] - turned[-1][:, :, ::-1]).mean() < 0.03


def test_a_smile_lifts_the_corners_of_the_mouth():
    pictures = sweep("smile", style=0, skin=0.0)
    red = np.clip((pictures[:, 0] - pictures[:, 1] - 0.25) * 5, 0, 1)[:, 27:42]  # lips, tongue
    at = np.arange(15) + 27
    corners = red * (np.abs(np.arange(48) - 23.5) > 3.5)
    ends = [corners[i].sum() and (corners[i].sum(1) * at).sum() / corners[i].sum() for i in (0, -1)]
    assert ends[0] > ends[1] + 2


@pytest.mark.parametrize("name", [n for n in faces.TRAITS if n not in ("style", "glasses")])
@pytest.mark.parametrize("style", range(1, 5))
def test_each_trait_alone_is_visible_and_changes_smoothly(name, style):
    steps = sweep(name, style=style)
    moves = np.sqrt((np.diff(steps, axis=0) ** 2).mean((1, 2, 3)))
    whole = np.abs(steps[-1] - steps[0])
    assert whole.max() > 0.3
    if name != "length":  # too little in some styles
        assert (whole.max(0) > 0.1).sum() > 20  # pixels
    assert moves.max() < 4 * moves.mean() + 1e-4


def test_skin_and_hair_have_the_colours_they_should():
    cheek = sweep("skin")[:, :, 30, 30].mean(1)
    assert (np.diff(cheek) < 0).all()
    crown = sweep("colour")[:, :, 13, 24].mean(1)
    assert (np.diff(crown) > -0.01).all()
    assert crown[-1] - crown[0] > 0.4
    assert cheek[0] - cheek[-1] > 0.4


def test_moods_and_styles_as_classes():
    moods = few("faces", classes="mood")
    assert [str(n) for n in moods.names] == ["sad", "neutral", "happy"]
    smile = factor(moods, "smile")
    np.testing.assert_array_equal(moods.y.numpy(), (smile >= -faces.CALM).astype(int) + (smile >= faces.CALM))
    styles = few("faces")
    np.testing.assert_array_equal(styles.y.numpy(), factor(styles, "style"))
    assert torch.equal(styles.x, moods.x)


def test_one_person_keeps_skin_and_hair():
    data = few("faces", people="one")
    assert all(np.ptp(factor(data, name)) == 0 for name in ("skin", "style", "length", "colour", "glasses"))
    assert all(factor(data, name).std() > 0 for name in ("yaw", "pitch", "smile", "eyes", "brow"))
    assert data.names == faces.EMOTIONS


def test_only_two_moves():
    data = few("faces", people="one", moves="two")
    assert {f.name for f in data.factors if np.ptp(f.values.numpy()) > 0} == {"yaw", "smile"}


def test_glasses_change_nothing_else():
    plain, some = few("faces"), few("faces", glasses=0.5)
    worn = factor(some, "glasses") == 1
    assert 100 < worn.sum() < 200
    same = (plain.x == some.x).flatten(1).all(1).numpy()
    np.testing.assert_array_equal(same, ~worn)


# ── signals ───────────────────────────────────────────────────────────────────────────────────────────────


def test_without_noise_the_same_signals_are_clean():
    clean, noisy = few("signals", n=2000, noise=0), few("signals", n=2000, noise=0.1)
    assert torch.equal(clean.y, noisy.y)
    for f, g in zip(clean.factors, noisy.factors, strict=True):
        assert f.name == "noise" or torch.equal(f.values, g.values)
    assert float(factor(clean, "noise").max()) == 0
    inside = noisy.x.abs() < 1  # beyond, it is cut off
    rest = torch.where(inside, noisy.x - clean.x, torch.zeros(()))
    np.testing.assert_allclose(rest.std(1), factor(noisy, "noise"), rtol=0.3)
    family, found = signals.traits(2000, 3, 0.1)
    np.testing.assert_array_equal(signals.clean(family, found), clean.x.numpy())


def test_the_strength_of_the_noise_does_not_change_its_course():
    clean, weak, strong = (few("signals", noise=v).x for v in (0.0, 0.02, 0.04))
    inside = (strong.abs() < 1).all(1)
    np.testing.assert_allclose((strong - clean)[inside], 2 * (weak - clean)[inside], atol=1e-5)


def test_hearts_beat_at_their_rate():
    data = few("signals", n=1000, noise=0)
    rate = factor(data, "heart_rate")
    hearts = data.y.numpy() == 2
    assert (rate[~hearts] == 0).all()
    for x, per_minute, height in zip(
        data.x[hearts].numpy(), rate[hearts], factor(data, "amplitude")[hearts], strict=True
    ):
        peaks = (x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:]) & (x[1:-1] > 0.5 * height)
        assert abs(peaks.sum() - per_minute / 60 * signals.SECONDS) <= 1.01
    assert rate[hearts].min() >= 45


def test_tones_have_their_frequency():
    data = few("signals", n=1000, noise=0)
    found = np.abs(np.fft.rfft(data.x.numpy() - data.x.numpy().mean(1, keepdims=True))).argmax(1)
    for number in (3, 4):  # square waves and saw teeth: the ground tone is the strongest
        some = data.y.numpy() == number
        np.testing.assert_allclose(found[some] / signals.SECONDS, factor(data, "frequency")[some], atol=0.2)
    some = data.y.numpy() == 0
    x = data.x.numpy()[some]
    early, late = (np.abs(np.diff(np.sign(part), axis=1)).sum(1) for part in (x[:, :128], x[:, 128:]))
    assert (late > early).all()


def test_signals_are_as_high_as_they_say():
    data = few("signals", n=1000, noise=0)
    height, amplitude = data.x.abs().amax(1).numpy(), factor(data, "amplitude")
    assert (height <= amplitude + 1e-5).all()
    assert (height > 0.6 * amplitude).all()


def test_the_small_curve_is_high_where_the_signal_is():
    picture = raster.curve(np.linspace(-1, 1, 256, dtype=np.float32))
    assert picture.shape == (48, 96)
    rows = picture.argmin(0)
    assert rows[0] > 42
    assert rows[-1] < 5
    assert (np.diff(rows) <= 0).all()
    assert np.isfinite(raster.curve(np.array([np.nan, 0.5, np.inf, -np.inf], np.float32))).all()


# ── textures ──────────────────────────────────────────────────────────────────────────────────────────────


def test_defects_are_where_they_are_said_to_be_and_nowhere_else():
    sound, flawed = few("textures", n=1500), few("textures", n=1500, defects=0.4)
    assert torch.equal(sound.y, flawed.y)
    said = factor(flawed, "defect") == 1
    assert factor(sound, "defect").max() == 0
    assert 0.35 < said.mean() < 0.45
    differ = (sound.x != flawed.x)[:, 0].numpy()  # (N, 32, 32)
    np.testing.assert_array_equal(differ.any((1, 2)), said)
    assert set(factor(flawed, "defect_kind")[said]) == {1, 2, 3}
    assert (factor(flawed, "defect_kind")[~said] == 0).all()

    change = (sound.x - flawed.x).abs()[said, 0].numpy()
    across, down = middle(change)
    assert np.median(np.abs(across - 16 - 16 * factor(flawed, "defect_x")[said])) < 1
    assert np.median(np.abs(down - 16 + 16 * factor(flawed, "defect_y")[said])) < 1
    assert (change.max((1, 2)) > 0.15).mean() > 0.98
    assert ((change > 0.05).sum((1, 2)) < 150).all()


def test_one_pattern_alone():
    data = few("textures", pattern="bricks")
    assert [str(n) for n in data.names] == ["bricks"]
    assert set(data.y.tolist()) == {0}
    assert set(factor(data, "pattern")) == {4}


def test_patterns_repeat_with_their_period():
    """Stripes, at which the period is easily measured: 1 / 0.75 of it across."""
    found = textures.traits(200, 0, pattern="stripes")
    found["angle"][:] = 0
    rows = textures.draw(found)[:, 16]
    for row, period in zip(rows, found["period"], strict=True):
        lag = round(float(period / 0.75))
        assert np.corrcoef(row[:-lag], row[lag:])[0, 1] > 0.75


def test_grain_is_noise_of_that_strength():
    plain, rough = few("textures", grain=0), few("textures", grain=0.05)
    inside = (plain.x > 0.2) & (plain.x < 0.8)
    assert abs(float((rough.x - plain.x)[inside].std()) - 0.05) < 0.003
