"""A network that learns again and again from the same start."""

import numpy as np
import numpy.typing as npt

from recfactory.predictor.network import Network
from recfactory.predictor.options import PredictorOptions
from recfactory.predictor.training import Lesson, Trainer
from recfactory.search.objectives import Floats


class Student:
    """A network and the weights that each of its trainings starts from.

    Args:
        network: new.
        options: of its training.
        rng: of its training.
    """

    def __init__(self, network: Network, options: PredictorOptions, rng: np.random.Generator) -> None:
        self.network, self.options, self.rng = network, options, rng
        self.trainer = Trainer(network, options.learning_rate, options.hinge, options.margin)
        self.start = network.get_weights()

    def learn(self, lesson: Lesson, decay: float) -> None:
        """Learns a lesson from the start."""
        self.network.set_weights(self.start)
        self.trainer.learn(lesson, self.options.epochs, decay, self.rng)

    def pretrain(self, lesson: Lesson, steps: int) -> None:
        """Learns a lesson that all later ones start from, except for the last layer."""
        last = self.network.trunk[-1]
        start = last.get_weights()
        self.trainer.learn(lesson, steps, 0.0, self.rng)
        last.set_weights(start)
        self.start = self.network.get_weights()

    def predict_apart(self, lesson: Lesson, apart: list[npt.NDArray[np.int64]], decay: float) -> Floats:
        """What it predicts of each group of rows after learning the others, `(rows,)`."""
        predicted = np.empty(lesson.targets.shape[1])
        for held in apart:
            others = np.setdiff1d(np.arange(len(predicted)), held)
            self.learn(Lesson(lesson.inputs[:, others], lesson.targets[:, others]), decay)
            predicted[held] = self.network(lesson.inputs[0, held])
        return predicted
