import gc, random
import pytest
from desktop.style.tokens import look
from desktop.language import language
from tests.desktop.conftest import drain, Desk
from tests.desktop.test_every_topic import resize
@pytest.mark.parametrize("i", range(12))
def test_a(qtbot, i):
    rng = random.Random(i)
    gc.set_threshold(rng.choice([20, 100, 700]), 2, 2)
    try:
        for j in range(3):
            desk = Desk(qtbot).open(rng.choice(["kmeans","pca"]), dataset=rng.choice(["digits","blobs"]))
            desk.window.transport.set_pace(None)
            if rng.random()<.5: desk.play()
            for k in range(6):
                a = rng.randrange(4)
                if a==0: look.update(projector=not look.projector)
                if a==1: desk.window.toggle_theme()
                if a==2: desk.window.toggle_language()
                if a==3: desk.window.resize(*rng.choice([(1024,768),(1280,720),(1920,1080)]))
                if rng.random()<.5: desk.paint()
                if rng.random()<.5: desk.qtbot.wait(5)
            desk.close()
            del desk
    finally:
        gc.set_threshold(700,10,10)
