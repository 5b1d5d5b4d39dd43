"""Verdicts in plain words."""

from importlib import resources

import numpy as np

import noiseless
from noiseless.apps.viewer import words


def restored(rng, clean=None, sigma=20.0, told=None, **recipe):
    rows, columns = np.mgrid[0:96, 0:112]
    if clean is None:
        clean = 120 + 50 * np.sin(rows / 15) * np.cos(columns / 19)
    noisy = (clean + sigma * rng.standard_normal(clean.shape)).astype(np.float32)
    return noiseless.restore(noisy, noiseless.Recipe(**recipe), sigma=told or sigma)


def test_the_headline_has_the_noise_and_the_quality_that_was_predicted(rng):
    done = restored(rng, predict=True)
    psnr, (low, high) = (done.report["audit"][key] for key in ("predicted_psnr", "predicted_psnr_interval"))
    assert words.headline(done.report, "HU") == (
        f"Noise of about 20 HU was removed; the result is good to about {psnr:.1f} dB ({low:.1f} to {high:.1f})."
    )
    plain = words.headline(restored(rng).report)
    assert plain == "Noise of about 20 (in the units of the file) was removed."


def test_the_headline_does_not_invent_a_quality_that_cannot_be_measured():
    audit = {"predicted_psnr": None, "predicted_psnr_interval": [41.5, None]}
    said = words.headline({"sigma": [1.0, 2.0, 1.0], "audit": audit})
    assert said == (
        "Noise of about 1, 2, 1 (in the units of the file) was removed; the error that is left is too small to be "
        "measured: 41.5 dB or better."
    )
    assert "1 to 3.5" in words.headline({"sigma": {"min": 1.0, "max": 3.5}, "audit": {}})


def test_a_good_result_is_said_to_have_passed_its_checks(rng):
    done = restored(rng)
    assert not done.report["audit"]["verdicts"]
    found = words.findings(done.report)
    good = [finding.text for finding in found if finding.kind == "good"]
    assert any(text.startswith("Nothing of the picture was found in what was removed") for text in good)
    assert any(text.startswith("The strength of what was removed fits") for text in good)
    assert [finding.text for finding in found if finding.kind != "good"] == [
        "How strong the noise is was given, not measured: all that is said here rests on it."
    ]


def test_structure_that_went_is_told_first_and_nothing_says_the_contrary(rng):
    rows, columns = np.mgrid[0:96, 0:112]
    clean = 120.0 + 60.0 * ((rows // 6 + columns // 6) % 2)
    done = restored(rng, clean, sigma=10.0, method="heat", strength=3.0)
    assert done.audit.structure.found
    found = words.findings(done.report)
    assert found[0].kind == "bad"
    said = " ".join(finding.text for finding in found)
    assert f"Some of the picture went with the noise, in {100 * done.audit.structure.share:.1f} % of it" in said
    assert f"{done.audit.structure.strongest:.1f}" in said
    assert "Nothing of the picture" not in said
    assert "no likeness" not in said


def test_every_verdict_of_the_audit_has_words_of_its_own(rng):
    """Those that the audit makes here, not copies of them: when its sentences change, this fails."""
    rows, columns = np.mgrid[0:96, 0:112]
    checks = 120.0 + 60.0 * ((rows // 6 + columns // 6) % 2)
    cut = np.clip(np.where(columns < 50, -20.0, 130.0) + 20.0 * rng.standard_normal(checks.shape), 0, None)
    results = [
        restored(rng, checks, sigma=10.0, method="heat", strength=3.0),
        restored(rng, sigma=20.0, told=30.0, predict=True),
        noiseless.restore(cut.astype(np.float32), sigma=20.0),
        restored(rng, sigma=20.0, told=100.0),
        noiseless.restore((checks + 3.0 * rng.standard_normal(checks.shape)).astype(np.float32)[:40, :40]),
    ]
    verdicts = {text for done in results for text in done.report["audit"]["verdicts"]}
    starts = ("structure of the image", "neighbours in", "what was removed has", "the image shows noise")
    for start in starts:
        assert any(text.startswith(start) for text in verdicts), start
    assert any("piled up at an end" in text for text in verdicts)
    for text in verdicts:
        finding = words._of_verdict(text)
        assert finding.text != words._sentence(text), text
        assert "{" not in finding.text
        assert finding.text.endswith(".")


def test_the_sentences_about_the_network_and_guesses_stand_in_the_audit():
    source = (resources.files("noiseless.restoration") / "audit.py").read_text(encoding="utf-8")
    for start in ("how strong the noise is was guessed (confidence {", "the network errs {"):
        assert f'f"{start}' in source


def test_what_was_not_tested_is_not_said_to_be_good(rng):
    noisy = (120.0 + 9.0 * rng.standard_normal((96, 96))).astype(np.float32)
    noise = noiseless.noise.parse_noise("salt-and-pepper:density=0.1")
    done = noiseless.restore(noisy, noise=noise)
    assert done.audit.structure is None
    found = words.findings(done.report)
    assert any("was not tested" in finding.text and finding.kind == "doubt" for finding in found)
    assert not any("Nothing of the picture" in finding.text for finding in found)


def test_good_findings_are_held_back_where_another_measurement_speaks_against_them():
    audit = {
        "removed_over_noise": 0.37,
        "clipped": 0.0,
        "verdicts": ["neighbours in what was removed are correlated by 0.365, in white noise by at most 0.003"],
        "structure": {"found": False, "strongest": -2.8, "limit": 6.1, "share": 0.0},
    }
    piled = "46 % of the pixels are piled up at the extreme values: what sigma lost by it was given back"
    report = {"reason": "x", "trust": "high", "audit": audit, "warnings": [piled, *audit["verdicts"]]}
    said = " ".join(finding.text for finding in words.findings(report) if finding.kind == "good")
    assert "No square of 16 by 16 pixels" in said
    assert "Nothing of the picture" not in said
    assert "No pile of values" not in said
    assert "0.37 of it" in said
    kept = {"reason": "x", "trust": "high", "audit": {**audit, "verdicts": []}, "warnings": []}
    said = " ".join(finding.text for finding in words.findings(kept))
    assert "Nothing of the picture" in said
    assert "No pile of values" in said


def test_warnings_of_the_estimate_are_told_as_doubts():
    report = {"reason": "x", "trust": "low", "audit": {}, "warnings": ["the image is constant: it cannot be known"]}
    assert words.findings(report) == [words.Finding("doubt", "The image is constant: it cannot be known.")]
