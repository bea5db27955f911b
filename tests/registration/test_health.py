"""What a load balancer asks."""

from django.test import Client


def test_it_says_ok_without_asking_the_database() -> None:
    response = Client(headers={"host": "10.0.0.7"}).get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert dict(response.headers) == {"Content-Type": "text/plain", "Content-Length": "2"}


def test_it_refuses_everything_but_reading() -> None:
    response = Client().post("/healthz")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
