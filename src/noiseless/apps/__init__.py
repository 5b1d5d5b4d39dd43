"""What people meet: command line, page and service, reports, napari. All else is a call of a public name."""
