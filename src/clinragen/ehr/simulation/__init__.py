"""The simulated hospital: tables of diseases, the draws made from them, and what they leave behind."""
