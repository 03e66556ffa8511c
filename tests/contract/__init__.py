"""What `analysis` believes of the files that `pipeline` writes, and files of earlier versions."""
