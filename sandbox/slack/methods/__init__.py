"""The Web API's methods, a file per family; `web_api.py` puts them in one table."""
