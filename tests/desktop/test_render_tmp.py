"""Throw-away: the real window while somebody paints."""
import sys
sys.path.insert(0,'/work/main')
import pytest
from tests.desktop.conftest import *
from tests.desktop.test_paint import Easel, Key
from desktop.style.tokens import look
from desktop.language import language
import os
OUT='/tmp/shots'; os.makedirs(OUT,exist_ok=True)
def shot(desk,name):
    for _ in range(3): drain()
    desk.window.grab().save(f'{OUT}/{name}.png')
@pytest.mark.parametrize("name,exp,ds,theme,proj,fr,size", [
 ("light","kmeans","blobs","light",False,False,(1280,720)),
 ("dark","kmeans","moons","dark",False,False,(1280,720)),
 ("projector","kmeans","blobs","light",True,False,(1280,720)),
 ("pca","pca","ellipse","light",False,True,(1024,768)),
 ("pcaproj","pca","anisotropic","dark",True,True,(1920,1080)),
])
def test_r(desks,name,exp,ds,theme,proj,fr,size):
    look.update(theme=theme)
    desk=desks(Settings(theme=theme, projector=proj, language="fr" if fr else "en")).open(exp,dataset=ds)
    look.update(theme=theme,projector=proj)
    desk.window.resize(*size); drain()
    desk.advance(3)
    e=Easel(desk)
    e.painter.size=24; e.panel.tools.size_slider.setValue(24)
    e.panel.tools.swatches[2].click()
    e.drag((.1,.15),(.2,.1),(.35,.12),(.5,.15),(.6,.1))
    e.panel.tools.tools["stamp"].click()
    e.panel.tools.size_slider.setValue(50)
    e.panel.tools.swatches[4].click()
    e.drag((.15,.85),(.2,.8))
    e.panel.tools.tools["line"].click()
    e.panel.tools.size_slider.setValue(8)
    e.drag((.9,.2),(.95,.8))
    desk.until(e.arrived)
    desk.play()
    desk.until(lambda: desk.status=="ended" or desk.step>6)
    desk.pause() if desk.status=="running" else None
    e.panel.tools.tools["eraser"].click()
    e.panel.tools.size_slider.setValue(30)
    QTest.mousePress(e.canvas, LEFT, NO_KEY, e.at(.45,.5))
    desk.move(e.canvas, e.at(.55,.6), LEFT)
    shot(desk,name)
    QTest.mouseRelease(e.canvas, LEFT, NO_KEY, e.at(.55,.6))
    e.panel.tools.tools["brush"].click()
    desk.move(e.canvas, e.at(.3,.3))
    desk.until(e.arrived)
    shot(desk,name+"2")
