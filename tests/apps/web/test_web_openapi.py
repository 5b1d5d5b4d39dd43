"""The OpenAPI document says what the service does: a generator of requests finds nothing else."""

import pytest

schemathesis, hypothesis = map(pytest.importorskip, ("schemathesis", "hypothesis"))

from schemathesis import GenerationMode  # noqa: E402  it may be absent
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance  # noqa: E402

OPERATIONS = (
    "GET /healthz", "GET /metrics", "GET /api/options",
    "POST /api/files", "POST /api/files/example", "GET /api/files/{id}", "GET /api/files/{id}/events",
    "GET /api/files/{id}/tiles/noisy/{slice}/{level}/{row}/{column}.png", "DELETE /api/files/{id}",
    "POST /api/jobs", "GET /api/jobs/{id}", "GET /api/jobs/{id}/events",
    "GET /api/jobs/{id}/result", "GET /api/jobs/{id}/report.json", "GET /api/jobs/{id}/report.html",
    "GET /api/jobs/{id}/tiles/denoised/{slice}/{level}/{row}/{column}.png",
    "GET /api/jobs/{id}/tiles/{kind}/{slice}/{level}/{row}/{column}.png", "DELETE /api/jobs/{id}",
    "POST /api/denoise",
)  # fmt: skip

EXAMPLES = 12
"""Requests of each operation that are as documented, and as many that are not."""


def test_every_operation_is_documented(prompt):
    document = prompt.client.get("/openapi.json").json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == set(OPERATIONS)
    for name, operation in operations.items():
        assert operation["summary"], name
        assert {"403"} <= set(operation["responses"]), name


@pytest.fixture(scope="module")
def examples(prompt, png):
    """What gives the id of a file or a job that is done; of a new one where the last is gone."""
    ids = {}

    def there(kind):
        if ids.get(kind) not in getattr(prompt.service, kind):
            file = ids["files"] = prompt.ready_file(png())
            job = ids["jobs"] = prompt.job(file).json()["id"]
            prompt.wait(f"/api/jobs/{job}", "done")
        return ids[kind]

    return there


@pytest.fixture(scope="module")
def operations(prompt):
    schema = schemathesis.openapi.from_url(f"{prompt.url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


LEFT_OUT = {
    # What the document allows may be refused where a schema cannot say more: the bytes are to be an image, names are
    # those of /api/options, some settings contradict each other, low is to be below high.
    "POST /api/files": [positive_data_acceptance],
    "POST /api/jobs": [positive_data_acceptance],
    "GET /api/files/{id}/tiles/noisy/{slice}/{level}/{row}/{column}.png": [positive_data_acceptance],
    "GET /api/jobs/{id}/tiles/denoised/{slice}/{level}/{row}/{column}.png": [positive_data_acceptance],
    # And a list without entries, which is no text of settings, is no bytes at all in a form.
    "POST /api/denoise": [positive_data_acceptance, negative_data_rejection],
}


def with_what_is_there(case, name, examples):
    """A request that is as documented, for a file and a job that exist and tiles that they have."""
    for kind in ("files", "jobs"):
        if f"/{kind}/{{id}}" in name:
            case.path_parameters["id"] = examples(kind)
    for part in ("slice", "level", "row", "column"):
        if part in (case.path_parameters or {}) and case.path_parameters[part] < 1000:
            case.path_parameters[part] = 0
    if name == "POST /api/jobs":
        case.body["file"] = examples("files")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as documented", "wrong"])
def test_generated_requests_are_answered_as_documented(operations, examples, name, mode):
    operation = operations[name]
    if mode.is_negative and not any(True for _ in operation.iter_parameters()) and not operation.body:
        pytest.skip("nothing can be wrong with it")

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        if mode.is_positive:
            with_what_is_there(case, name, examples)
        case.call_and_validate(excluded_checks=LEFT_OUT.get(name, []))

    check()
