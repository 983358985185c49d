"""What a task asks for, by the names that the job process has given."""

from typing import Any, Mapping, Sequence


def is_train(task: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a task is training."""
    return _is_among(task, facts["train_task_names"])


def is_evaluate(task: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a task is evaluation alone, which is answered with metrics and without a tensor."""
    return _is_among(task, evaluate_task_names(facts)) and not is_train(task, facts)


def is_submit_model(task: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a task asks for the site's own best model."""
    return _is_among(task, facts.get("submit_model_task_names", ["submit_model"]))


def evaluate_task_names(facts: Mapping[str, Any]) -> Sequence[str]:
    """Names of tasks that are evaluation; job processes of earlier releases do not say them."""
    return facts.get("evaluate_task_names", ["validate"])


def _is_among(task: Mapping[str, Any], names: Sequence[str]) -> bool:
    return task["task_name"] in names
