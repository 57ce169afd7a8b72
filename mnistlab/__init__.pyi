# The whole public interface, and where each name is defined. `mnistlab/__init__.py` reads this
# list, and so do type checkers and editors. To add a public name, add its line.
# ruff: noqa: I001

# data
from mnistlab.data import Dataset as Dataset
from mnistlab.data import Split as Split
from mnistlab.data import available as available
from mnistlab.data import load as load
from mnistlab.data import fetch as fetch
from mnistlab.data import split as split
from mnistlab.data import export as export
from mnistlab.auditing import Audit as Audit
from mnistlab.auditing import audit as audit
from mnistlab.profiling import Profile as Profile
from mnistlab.profiling import profile as profile

# what to train
from mnistlab.recipe import Recipe as Recipe
from mnistlab.recipe import read_recipe as read_recipe
from mnistlab.field_paths import set_fields as set_fields
from mnistlab.recipes import RECIPES as RECIPES
from mnistlab.recipes import RECOMMENDED as RECOMMENDED
from mnistlab.recipes import get_recipe as get_recipe
from mnistlab.phases import Phase as Phase
from mnistlab.phases import SCHEDULES as SCHEDULES
from mnistlab.models.pretrained import weights_at_hand as weights_at_hand

# training, evaluating, predicting, reading
from mnistlab.classifiers import EnsembleClassifier as EnsembleClassifier
from mnistlab.classifiers import ScratchClassifier as ScratchClassifier
from mnistlab.classifiers import SVMClassifier as SVMClassifier
from mnistlab.classifiers import TorchClassifier as TorchClassifier
from mnistlab.classifiers.storage import load_classifier as load_classifier
from mnistlab.classifiers.storage import save_classifier as save_classifier
from mnistlab.runs import Comparison as Comparison
from mnistlab.runs import CrossValidation as CrossValidation
from mnistlab.runs import Evaluation as Evaluation
from mnistlab.runs import Execution as Execution
from mnistlab.runs import Progress as Progress
from mnistlab.runs import Run as Run
from mnistlab.runs import compare as compare
from mnistlab.runs import cross_validate as cross_validate
from mnistlab.runs import evaluate as evaluate
from mnistlab.runs import open_run as open_run
from mnistlab.runs import resume as resume
from mnistlab.runs import train as train
from mnistlab.reporting.predicting import predict as predict
from mnistlab.reporting.run_report import report as report
from mnistlab.tracking import tracked as tracked
from mnistlab.explaining import Explanation as Explanation
from mnistlab.explaining import explain as explain
from mnistlab.exporting import export_onnx as export_onnx
from mnistlab.exporting import export_page as export_page
from mnistlab.serving import ServeSettings as ServeSettings
from mnistlab.serving.server import serve as serve

# networks by hand
from mnistlab import scratch as scratch
from mnistlab.checking import check as check

# studies: questions with several arms
from mnistlab.evaluation import Difference as Difference
from mnistlab.study import Arm as Arm
from mnistlab.study import ArmResult as ArmResult
from mnistlab.study import EmbeddingResult as EmbeddingResult
from mnistlab.study import EmbeddingStudy as EmbeddingStudy
from mnistlab.study import GridResult as GridResult
from mnistlab.study import GridStudy as GridStudy
from mnistlab.study import Study as Study
from mnistlab.study import StudyResult as StudyResult
from mnistlab.study import run_study as run_study
from mnistlab.study import wording as wording
from mnistlab.studies import STUDIES as STUDIES
from mnistlab.studies import get_study as get_study
from mnistlab.reporting.study_report import study_report as study_report

# searches
from mnistlab.space import Choice as Choice
from mnistlab.space import Layers as Layers
from mnistlab.space import Range as Range
from mnistlab.space import Space as Space
from mnistlab.space import read_space as read_space
from mnistlab.tuning import TuningResult as TuningResult
from mnistlab.tuning import tune as tune

# the best in the time given
from mnistlab.fitting import fit as fit

# how fast this machine is
from mnistlab.runs.timed import TimedRecord as TimedRecord
from mnistlab.runs.timed import train_record as train_record

# what can go wrong
from mnistlab.errors import DataError as DataError
from mnistlab.errors import MnistlabError as MnistlabError
from mnistlab.errors import RecipeError as RecipeError
from mnistlab.errors import RunError as RunError
from mnistlab.errors import TrainingError as TrainingError

from mnistlab.version import __version__ as __version__
