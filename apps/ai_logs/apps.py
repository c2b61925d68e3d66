from django.apps import AppConfig


class AiLogsConfig(AppConfig):
    name = "apps.ai_logs"
    verbose_name = "AI logs"
