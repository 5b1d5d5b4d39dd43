"""What a person sees of a restoration: pictures of arrays, verdicts in plain words, and the viewer of a page."""
