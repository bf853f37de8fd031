"""One GET after another without a pause, by Locust's fast client."""

from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    """Sends as fast as it can."""

    wait_time = constant(0)
    insecure = True

    @task
    def get(self) -> None:
        """Sends one request."""
        self.client.get("/")
