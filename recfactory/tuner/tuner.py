"""A tuner whose trials are paths of a supernet."""

from collections.abc import Sequence
from typing import Any

from keras_tuner.src.engine.trial import Trial

from recfactory.errors import UsageError, UserError
from recfactory.settings import write_settings
from recfactory.supernet.score import Scoring
from recfactory.supernet.shot import ShotRecipe, another
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source, Split
from recfactory.training.train import train
from recfactory.tuner.alone import Train
from recfactory.tuner.evaluator import Evaluator
from recfactory.tuner.forms import from_hyperparameters
from recfactory.tuner.loop import Tuner
from recfactory.tuner.objectives import check_known
from recfactory.tuner.oracle import SamplerOracle
from recfactory.tuner.search_recipe import SearchRecipe
from recfactory.tuner.summary import table
from recfactory.tuner.trials import STAGE


class SupernetTuner(Tuner):
    """Scores paths in a supernet, and trains the best alone.

    The supernet is trained when the first trial needs it. Interrupted anywhere, the same lines go on.

    Args:
        oracle: what to search, and how.
        supernet: recipe of the shot that trials are scored in; default: that of `SearchRecipe`.
        second: that of the second shot; the same with another seed where there is none.
        scoring: how paths are scored in a supernet.
        final: recipe of finalists, which are trained alone; of several the best counts for each; default:
            that of `SearchRecipe`.
        train: trains a finalist, as `recfactory.training.train.train` does.
        **options: `directory`, `project_name` and `overwrite`, as of `kt.Tuner`. In a parallel search the
            directory is one that chief and workers share.

    Raises:
        UsageError: for an objective or a constraint on a score that no candidate has.
    """

    def __init__(
        self,
        oracle: SamplerOracle,
        supernet: ShotRecipe | None = None,
        second: ShotRecipe | None = None,
        scoring: Scoring | None = None,
        final: Recipe | Sequence[Recipe] = (),
        train: Train = train,
        **options: Any,
    ) -> None:
        self.supernet = supernet or SearchRecipe().shot
        self.second, self._train = second or another(self.supernet), train
        self.scoring = scoring or Scoring()
        self.final = [final] if isinstance(final, Recipe) else list(final or SearchRecipe().final)
        self._evaluator: Evaluator | None = None
        super().__init__(oracle, **options)
        check_known(oracle.candidates, [*oracle.objectives, *oracle.constraints])

    def search(self, train: Split, validation: Split, verbose: Any = "auto") -> None:
        """Runs the search, or goes on with it.

        Args:
            train: rows that supernets and finalists are trained on.
            validation: rows of the same features that they are scored on.
            verbose: 0: failures only, 1: a line per trial, `auto`: 1 on a terminal.

        Raises:
            UserError: when the splits do not belong together or to the space, the folder holds another
                search, or the search cannot go on.
        """
        source = self._check(train, validation)
        self.oracle.add_context(
            {
                "features": source.digest,
                "supernet": self.supernet.to_dict(),
                "second": self.second.to_dict(),
                "scoring": write_settings(self.scoring),
                "final": [recipe.to_dict() for recipe in self.final],
            }
        )
        recipes = self.supernet, self.second, self.scoring, self.final
        self._evaluator = Evaluator(source, self.oracle.project_dir, *recipes, self._train)
        self.oracle.verbose = verbose
        super().search()

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> dict[str, float]:
        """Scores the trial's candidate.

        Args:
            trial: with genes and stage.

        Returns:
            Its `val_logloss`, `val_auc`, `macs` and `params`.
        """
        hyperparameters = trial.hyperparameters
        candidate = from_hyperparameters(self.oracle.candidates, hyperparameters)
        return self._ready().scores(candidate, hyperparameters.values[STAGE], trial.trial_id)

    def load_model(self, trial: Trial) -> Any:
        """The trained model of a trial: itself when it was trained alone, else a part of the supernet."""
        hyperparameters = trial.hyperparameters
        candidate = from_hyperparameters(self.oracle.candidates, hyperparameters)
        return self._ready().model(candidate, hyperparameters.values[STAGE], trial.trial_id)

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints a table of the best trials.

        Args:
            num_trials: rows of it.
        """
        print(table(self.oracle, num_trials))

    def _ready(self) -> Evaluator:
        if self._evaluator is None:
            raise UserError(
                "the tuner does not know the data yet; call tuner.search(train, validation) first"
            )
        return self._evaluator

    def _check(self, train: Split, validation: Split) -> Source:
        for name, split, wanted in (("train", train, "train"), ("validation", validation, "valid")):
            if not isinstance(split, Split) or split.name != wanted:
                given = f"the split '{split.name}'" if isinstance(split, Split) else type(split).__name__
                raise UsageError(f'{name} must be open_source(features).split("{wanted}"), not {given}')
        source, space = train.source, self.oracle.space
        if validation.source.digest != source.digest:
            raise UsageError(
                f"train is of '{source.features}' and validation of '{validation.source.features}', which "
                "are different features; take both splits from one folder"
            )
        columns = len(source.layout.dense), len(source.layout.fields)
        if columns != (space.numbers, space.fields):
            raise UserError(
                f"'{source.features}' has {columns[0]} dense and {columns[1]} categorical columns, the space "
                f"is for {space.numbers} and {space.fields}; make it with make_space(source.layout)"
            )
        return source
