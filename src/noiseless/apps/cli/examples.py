"""What ``--help`` of a verb teaches: commands that work as they stand, and what each of them does."""

from collections.abc import Mapping

Example = tuple[str, str]
"""A command, and what it does."""

OF_ALL: tuple[Example, ...] = (
    ("noiseless denoise photo.jpg", "Find the noise of a photograph and remove it: photo.denoised.jpg."),
    ("noiseless denoise scans/ -o clean/", "All images in a folder and below, each in its own kind."),
    ("noiseless estimate photo.jpg", "Say what the noise is and how strong, and how far to trust that."),
    ("noiseless doctor", "Say whether all is well here, and how fast this machine is."),
)
"""Of ``noiseless --help``."""

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "denoise": (
        ("noiseless denoise photo.jpg", "Find the noise and remove it; the result is photo.denoised.jpg."),
        (
            "noiseless denoise scans/ -o clean/ --dry-run",
            "Say what would be done with each image in the folder and below; without --dry-run it is done.",
        ),
        (
            "noiseless denoise head.nii.gz -o clean.nii.gz --preset mr",
            "A volume of an MR scanner.",
        ),
        (
            "noiseless denoise photo.jpg -o clean.jpg --predict --report look.html",
            "Say how good the result is; write a page of before, after, and what was removed.",
        ),
        ("noiseless denoise night.mp4 -o clean.mp4", "A video, frame by frame, each with what earlier ones showed."),
    ),
    "stream": (
        (
            "noiseless stream camera:0 --to clean.mkv --budget-ms 40",
            "A camera into a file, each frame within 40 ms: 25 a second.",
        ),
        (
            "noiseless stream rtsp://camera.local/1 --to udp://192.168.1.20:5000",
            "From one network address to another.",
        ),
        ("noiseless stream frames/ --to clean/ --no-follow", "The images in a folder, then stop."),
        (
            "cat frames.raw | noiseless stream - --raw 64x48:gray8@30 --to - > clean.raw",
            "Through a pipe: frames of 64 x 48 pixels, one byte each.",
        ),
    ),
    "info": (
        ("noiseless info photo.jpg", "Kind, size, range, and the metadata that a result keeps."),
        ("noiseless info scans/ --json", "All images in a folder, for a program."),
    ),
    "estimate": (
        ("noiseless estimate photo.jpg", "What the noise is and how strong, and how far to trust that."),
        ("noiseless estimate noisy.png --plot noise.png", "Draw what was measured, and the law that was read from it."),
        ("noiseless estimate noisy.png --map sigma.tif", "How strong the noise is at every pixel, as a picture."),
    ),
    "compare": (
        ("noiseless compare clean.png noisy.png", "How far a noisy image is from the clean one."),
        ("noiseless compare clean.png scans/*.png --json", "Several images, for a program."),
    ),
    "noise": (
        ("noiseless noise clean.png -o noisier.png --noise gaussian:15", "White noise of 15 grey levels."),
        (
            "noiseless noise clean.png -o dark.png --noise poisson:gain=0.5 --seed 7",
            "That of photons: more where it is brighter. Another seed draws other noise.",
        ),
        (
            "noiseless noise clean.png -o magnitude.tif --noise rician:sigma=10 --float",
            "That of MR magnitude images, neither rounded nor clipped.",
        ),
    ),
    "diffuse": (
        ("noiseless diffuse noisy.png -o smooth.png", "Smooth, but not across edges, as far as the noise asks for."),
        (
            "noiseless diffuse noisy.png -o lines.png -k coherence-enhancing --sigma 15",
            "Along lines, as in finger prints, for noise of 15 grey levels.",
        ),
        (
            "noiseless diffuse noisy.png -o blurred.png -k heat --time 4 --movie heat.gif",
            "The heat equation for a given time, and a movie of it.",
        ),
    ),
    "demo": (
        ("noiseless demo", "On the photograph of scikit-image: noiseless-demo.png."),
        ("noiseless demo clean.png -o steps.png --sigma 40", "On a photograph of your own, with more noise."),
    ),
    "tune": (
        (
            "noiseless tune noisy.png -m perona-malik -o recipe.toml",
            "Find the parameters of a filter that suit an image; its clean version is not needed.",
        ),
        ("noiseless denoise noisy.png -o tuned.png --recipe recipe.toml", "Denoise by what was found."),
        (
            "noiseless tune scans/*.png -m non-local-means -p patch=3,5 --budget 30",
            "One recipe for several images, in 30 seconds, of these choices only.",
        ),
    ),
    "models": (
        ("noiseless models", "The models of the package: size, origin, licence, scores."),
        ("noiseless models mine.safetensors --json", "The card of a file, for a program."),
    ),
    "bench": (
        (
            "noiseless bench sets/ --sets Set12 --sigmas 15,25,50",
            "The usual methods on the images of sets/Set12, at three strengths of noise.",
        ),
        (
            "noiseless bench sets/ --sets Set12 --methods heat,score --every 4 --json",
            "Two methods on every fourth image, for a program.",
        ),
        (
            "noiseless bench sets/ --sets Set12 --methods score,skimage-tv --page p.html",
            "Beside the denoiser of another package; a page with tables and a drawing.",
        ),
        (
            "noiseless bench sets/ --sets Set12 --methods heat --record was.json",
            "Keep what was found; later --check was.json tells whether anything became worse.",
        ),
    ),
    "adapt": (
        (
            "noiseless adapt noisy.png -o mine.safetensors",
            "A network that suits this image better, learned from it alone in 45 seconds.",
        ),
        ("noiseless denoise noisy.png -o adapted.png --model mine.safetensors", "Denoise by it."),
    ),
    "train": (
        (
            "noiseless train photos/ -o mine.safetensors --start base --minutes 30",
            "Go on from the network of the package, with photographs of your own.",
        ),
        (
            "noiseless train photos/ -o gray.safetensors --model tiny --gray",
            "A small network for gray images, from nothing.",
        ),
        (
            "noiseless train scans/ -o own.safetensors --gray --objective sure --sigma 20",
            "From noisy images alone, of which the noise is known.",
        ),
    ),
    "export": (
        ("noiseless export base-gray -o base-gray.onnx", "The network of the package for gray images, as ONNX."),
        ("noiseless export mine.safetensors -o mine.onnx", "One of your own."),
    ),
    "serve": (
        ("noiseless serve --open", "Start it, for this machine alone, and open the page in the browser."),
        (
            "noiseless serve --port 8080 --workers 2 --max-bytes 50000000",
            "Two jobs at a time, and no file above 50 MB.",
        ),
        (
            'noiseless serve --host 0.0.0.0 --token "$(openssl rand -hex 16)"',
            "For other machines too: who has the token may use it.",
        ),
    ),
    "doctor": (
        ("noiseless doctor", "Say whether all is well; exit code 1 and a remedy for each trouble if not."),
        ("noiseless doctor --json > doctor.json", "All that was found, to send with a question."),
    ),
}

GROUPS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "denoise": {
        "What is written": ("--output", "--force", "--report", "--plot", "--json", "--dry-run"),
        "The noise": ("--sigma", "--noise"),
        "How it is removed": (
            "--preset", "--recipe", "--save-recipe", "--method", "--model", "--strength", "--bound", "--budget",
        ),
        "Sharper results, and several of them": ("--steps", "--sampler", "--samples", "--seed"),
        "How good it is": ("--predict", "--error"),
        "Videos and bags": ("--codec", "--quality", "--topic"),
        "Speed and memory": ("--device", "--jobs", "--scheduler", "--memory", "--tile"),
    },
    "stream": {
        "Input and output": ("--to", "--raw", "--timeout", "--frames", "--follow", "--force", "--json"),
        "How it is denoised": ("--sigma", "--model", "--budget-ms", "--drop"),
    },
    "diffuse": {
        "What is written": ("--output", "--movie", "--force"),
        "The equation": ("--kind", "--sigma", "--time", "--contrast", "--stepping", "--least-risk"),
    },
    "tune": {
        "What is written": ("--output", "--plot", "--force", "--json"),
        "The noise": ("--sigma", "--noise"),
        "What is tuned": ("--method", "--model", "--parameter"),
        "The search": ("--risk", "--budget", "--side", "--folds", "--seed"),
    },
    "bench": {
        "What is written": ("--record", "--page", "--force", "--json"),
        "What is measured": ("--sets", "--every", "--sigmas", "--methods", "--model"),
        "Time and memory": ("--only-quality", "--peak-memory"),
        "Against an earlier run": ("--check",),
    },
    "adapt": {
        "What is written": ("--output", "--force", "--json"),
        "The noise": ("--sigma", "--noise"),
        "What is learned": ("--model", "--budget", "--side", "--seed"),
    },
    "train": {
        "What is written": ("--output", "--plot", "--licence", "--force", "--json"),
        "The network": ("--model", "--colour", "--start"),
        "What it learns": ("--recipe", "--objective", "--sigma"),
        "The run": ("--steps", "--minutes", "--batch", "--patch", "--rate", "--seed", "--device"),
    },
    "serve": {
        "Where": ("--host", "--port", "--name", "--token", "--open"),
        "Limits": ("--workers", "--device", "--waiting", "--seconds", "--max-bytes", "--max-pixels", "--minutes-kept"),
    },
}  # fmt: skip
"""Headings of options, in the order of the help; verbs that are not here have few. What is in none of the headings of
a verb stands under "Other options"."""
