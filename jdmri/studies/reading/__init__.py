"""The blinded reader study: a page for readers, and what their answers say about the methods.

    reader.prepare(cases, folder, seed)            # folder/reader.html for readers, folder/key/ for you
    reader.evaluate_answers(folder, answers)       # folder/analysis/ from the CSV files they send back

Like the study of Ghodrati et al. 2019 (S3): every case shows its reconstructions in random order
under letters, the reader ranks them (1 best) and scores each from 1 to 5.
"""

from jdmri.studies.reading.analyse import Result, analyse, evaluate_answers
from jdmri.studies.reading.case import Case
from jdmri.studies.reading.make import make, prepare

__all__ = ["Case", "Result", "analyse", "evaluate_answers", "make", "prepare"]
