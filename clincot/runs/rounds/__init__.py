"""One round of a run: its preference data, its pairs drawn again, its adapter, each as a tagged release."""
