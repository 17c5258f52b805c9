"""What holds or moves the activity: fits, fluctuations and pushes that tell dynamical regimes apart."""
