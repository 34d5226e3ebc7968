"""The accuracy predictor: learns from scored trials how other paths would do (FGPS step 2, PIDS, CSCO)."""
