"""A plug-in of napari that denoises the selected layer; ``napari.yaml`` says what there is."""
