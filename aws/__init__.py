"""What Patchgate asks of AWS, through boto3: nothing here knows of Slack, of storage or of a run's life."""
