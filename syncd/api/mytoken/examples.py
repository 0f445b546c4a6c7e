"""Examples for the OpenAPI document."""

CALENDAR = {
    "name": "CI",
    "ics_path": "https://syncd.example/calendars/w2PWe5iTnZtKcbV1mC7sYq0JfAaXhLdR4uGoEk9x",
    "subscribed_tokens": [
        "rB8g1NhHqRNQL8S38DkzQgMJ9Df7wVmnuX1dkSk3kAlsUQM6igudDWL3ZMYf4xm1AL8/pQdGAetBa/y5ktydrg=="
    ],
    "id": "7hQm2xVbT0c4ZsJ9aKpLw5nYdR8gUfE1",
    "tags": [{"tag": "ci", "color": "#808080"}],
}
