"""The same meaning in every verb: options, numbers of a bad end, refusals before the work."""

import json

from noiseless.apps.cli import main
from noiseless.apps.cli.help_pages import command_of
from noiseless.apps.cli.verbs import VERBS

from .options import long_names


def test_options_of_one_name_are_of_one_kind():
    shorts = {}
    for verb in VERBS:
        for parameter in command_of(verb).params:
            if parameter.param_type_name == "option":
                for name in parameter.opts:
                    if not name.startswith("--"):
                        shorts.setdefault(name, set()).add(parameter.opts[-1])
    assert shorts == {
        "-o": {"--output"}, "-s": {"--sigma"}, "-m": {"--method"}, "-k": {"--kind"}, "-p": {"--parameter"},
    }  # fmt: skip
    for flag in ("--force", "--json", "--dry-run"):
        for verb in VERBS:
            for parameter in command_of(verb).params:
                assert flag not in parameter.opts or parameter.is_flag
    for verb, names in {verb: long_names(verb) for verb in VERBS}.items():
        assert "--output" not in names or "--force" in names, verb


def test_models_goes_past_a_bad_file_and_says_so(capfd, made, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    files = [str(tmp_path / "bad.safetensors"), str(made / "mine.safetensors")]
    assert main(["models", *files]) == 3
    out, err = capfd.readouterr()
    assert "mine.safetensors" in out
    assert "bad.safetensors" in err
    assert "1 of 2 models were refused" in err
    assert main(["models", files[0], "--json"]) == 1
    assert main(["models", files[0], files[0], "--json"]) == 1
    assert capfd.readouterr().out.count('"error"') == 2


def test_demo_refuses_before_the_work_and_has_words_for_programs(folder, capfd):
    assert main(["demo", "clean.png", "-o", "steps.xyz"]) == 1
    assert ".png" in capfd.readouterr().err
    assert main(["demo", "clean.png", "-o", "steps.png", "--steps", "2", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["output"] == "steps.png"
    psnr = [step["psnr"] for step in found["steps"].values()]
    assert len(psnr) == 4
    assert psnr[0] < min(psnr[1:])
