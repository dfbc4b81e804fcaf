import time


def test_a(desk):
    print(desk.events, desk.step)
    desk.paint()


def test_b(trial):
    trial.advance(10)
    print(trial.step, trial.panel_steps())


def test_c(trial):
    trial.play()
    trial.until(lambda: trial.step > 500)
    print(trial.step)
