from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids
import apps.core.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cohorts", "0002_walls"),
        ("contacts", "0001_initial"),
        ("programs", "0002_walls"),
    ]

    operations = [
        migrations.CreateModel(
            name="AssessmentItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("multiple_choice", "Multiple Choice"),
                            ("multiple_response", "Multiple Response"),
                            ("true_false", "True/false"),
                            ("numeric", "Numeric"),
                            ("short_text", "Short Text"),
                            ("essay", "Essay"),
                        ],
                        max_length=30,
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("prompt_markdown", models.TextField()),
                (
                    "points",
                    models.DecimalField(
                        decimal_places=4,
                        default=Decimal("1"),
                        max_digits=9,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("10000")),
                        ],
                    ),
                ),
                ("key_data", models.JSONField(default=dict)),
                (
                    "scoring_rule",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("all_or_nothing", "All Or Nothing"),
                            ("per_option_floor_zero", "Per Option"),
                            ("fractions", "Fractions"),
                            ("first_match", "First Match"),
                            ("person", "Person"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "graded_by",
                    models.CharField(
                        blank=True,
                        choices=[("engine", "Engine"), ("person", "Person")],
                        max_length=10,
                    ),
                ),
                ("feedback_markdown", models.TextField(blank=True, default="")),
                ("position", models.PositiveSmallIntegerField()),
            ],
            options={
                "db_table": "assessment_items",
                "ordering": ["position", "key"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BankItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("multiple_choice", "Multiple Choice"),
                            ("multiple_response", "Multiple Response"),
                            ("true_false", "True/false"),
                            ("numeric", "Numeric"),
                            ("short_text", "Short Text"),
                            ("essay", "Essay"),
                        ],
                        max_length=30,
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=200)),
                ("prompt_markdown", models.TextField()),
                (
                    "points",
                    models.DecimalField(
                        decimal_places=4,
                        default=Decimal("1"),
                        max_digits=9,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("10000")),
                        ],
                    ),
                ),
                ("key_data", models.JSONField(default=dict)),
                (
                    "scoring_rule",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("all_or_nothing", "All Or Nothing"),
                            ("per_option_floor_zero", "Per Option"),
                            ("fractions", "Fractions"),
                            ("first_match", "First Match"),
                            ("person", "Person"),
                        ],
                        max_length=30,
                    ),
                ),
                (
                    "graded_by",
                    models.CharField(
                        blank=True,
                        choices=[("engine", "Engine"), ("person", "Person")],
                        max_length=10,
                    ),
                ),
                ("feedback_markdown", models.TextField(blank=True, default="")),
                ("key", models.SlugField(max_length=100)),
                ("category", models.CharField(blank=True, default="", max_length=500)),
                ("tags", models.JSONField(blank=True, default=list)),
                (
                    "difficulty",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                    ),
                ),
                ("source", models.JSONField(default=dict, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "db_table": "bank_items",
                "ordering": ["bank", "key"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AssessmentTemplate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("title", models.CharField(max_length=200)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "type",
                    models.CharField(
                        choices=[("quiz", "Quiz"), ("project", "Project"), ("exam", "Exam")],
                        default="quiz",
                        max_length=20,
                    ),
                ),
                (
                    "scoring_model",
                    models.CharField(
                        choices=[
                            ("auto", "Auto"),
                            ("rubric", "Rubric"),
                            ("manual", "Manual"),
                            ("mixed", "Mixed"),
                        ],
                        default="auto",
                        max_length=20,
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessments",
                        to="programs.course",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_templates",
                "ordering": ["title"],
            },
        ),
        migrations.CreateModel(
            name="AssessmentAttempt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("attempt_no", models.PositiveSmallIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("in_progress", "In Progress"),
                            ("submitted", "Submitted"),
                            ("graded", "Graded"),
                            ("void", "Void"),
                        ],
                        default="in_progress",
                        max_length=20,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("accepts_until", models.DateTimeField(blank=True, null=True)),
                ("submitted_at", models.DateTimeField(blank=True, null=True)),
                ("closed_by_server", models.BooleanField(default=False)),
                ("graded_at", models.DateTimeField(blank=True, null=True)),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                ("seed", models.CharField(max_length=32)),
                ("item_order", models.JSONField()),
                ("policy", models.JSONField()),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessment_attempts",
                        to="contacts.contact",
                    ),
                ),
                (
                    "enrollment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="cohorts.cohortenrollment",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="assessment.assessmenttemplate",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_attempts",
            },
        ),
        migrations.CreateModel(
            name="Accommodation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "time_multiplier",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("1"),
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("1")),
                            django.core.validators.MaxValueValidator(Decimal("10")),
                        ],
                    ),
                ),
                ("extra_attempts", models.PositiveSmallIntegerField(default=0)),
                ("reason", models.TextField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accommodations",
                        to="contacts.contact",
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accommodations",
                        to="assessment.assessmenttemplate",
                    ),
                ),
            ],
            options={
                "db_table": "accommodations",
            },
        ),
        migrations.CreateModel(
            name="AssessmentVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("published", "Published"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("number", models.PositiveIntegerField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("retired_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("instructions_markdown", models.TextField(blank=True, default="")),
                (
                    "pass_percent",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("60"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("100")),
                        ],
                    ),
                ),
                (
                    "percent_places",
                    models.PositiveSmallIntegerField(
                        default=2, validators=[django.core.validators.MaxValueValidator(4)]
                    ),
                ),
                (
                    "attempts_allowed",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "time_limit_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("grace_seconds", models.PositiveIntegerField(default=0)),
                (
                    "late_percent_per_day",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("0"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("100")),
                        ],
                    ),
                ),
                (
                    "late_cap_percent",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("100"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("100")),
                        ],
                    ),
                ),
                ("late_cut_off_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "result_policy",
                    models.CharField(
                        choices=[("highest", "Highest"), ("latest", "Latest"), ("first", "First")],
                        default="highest",
                        max_length=20,
                    ),
                ),
                (
                    "release_policy",
                    models.CharField(
                        choices=[
                            ("immediately", "Immediately"),
                            ("after_due", "After Due"),
                            ("manual", "Manual"),
                        ],
                        default="immediately",
                        max_length=20,
                    ),
                ),
                ("shuffle_items", models.BooleanField(default=False)),
                ("shuffle_options", models.BooleanField(default=True)),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="assessment.assessmenttemplate",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_versions",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AssessmentResponse",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sequence", models.PositiveBigIntegerField()),
                ("value", models.JSONField(null=True)),
                ("invalid_value", models.JSONField(null=True)),
                ("fault", models.CharField(blank=True, default="", max_length=50)),
                ("saved_at", models.DateTimeField()),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses",
                        to="assessment.assessmentattempt",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses",
                        to="assessment.assessmentitem",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_responses",
            },
        ),
        migrations.CreateModel(
            name="AssessmentPlacement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                (
                    "module_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assessment_placements",
                        to="programs.moduleitem",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assessment_placements",
                        to="programs.courseversion",
                    ),
                ),
                (
                    "assessment_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="placements",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_placements",
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="assessmentitem",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="assessment.assessmentversion",
            ),
        ),
        migrations.AddField(
            model_name="assessmentattempt",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="assessment.assessmentversion",
            ),
        ),
        migrations.CreateModel(
            name="AssessmentWindow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("opens_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("closes_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attempts_allowed",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "time_limit_seconds",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assessment_windows",
                        to="cohorts.cohort",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="windows",
                        to="assessment.assessmenttemplate",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_windows",
            },
        ),
        migrations.AddField(
            model_name="assessmentitem",
            name="bank_item",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="assessment.bankitem",
            ),
        ),
        migrations.CreateModel(
            name="GradingEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("auto", "Auto"),
                            ("manual", "Manual"),
                            ("rubric", "Rubric"),
                            ("regrade", "Regrade"),
                            ("rescore", "Rescore"),
                            ("override", "Override"),
                            ("override_withdrawn", "Override Withdrawn"),
                            ("void", "Void"),
                        ],
                        max_length=30,
                    ),
                ),
                ("score", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ("max_score", models.DecimalField(decimal_places=6, max_digits=14)),
                ("rubric_levels", models.JSONField(default=list)),
                ("feedback", models.TextField(blank=True, default="")),
                ("reason", models.TextField(blank=True, default="")),
                ("details", models.JSONField(default=dict)),
                ("engine_version", models.CharField(blank=True, default="", max_length=40)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grading_events",
                        to="assessment.assessmentattempt",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "grader",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grading_events",
                        to="assessment.assessmentitem",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "grading_events",
            },
        ),
        migrations.CreateModel(
            name="GradingTask",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("done", "Done"), ("cancelled", "Cancelled")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grading_tasks",
                        to="assessment.assessmentattempt",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grading_tasks",
                        to="assessment.assessmentitem",
                    ),
                ),
                (
                    "leased_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "grading_tasks",
            },
        ),
        migrations.CreateModel(
            name="QuestionBank",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
            ],
            options={
                "db_table": "question_banks",
                "ordering": ["title"],
            },
        ),
        migrations.AddField(
            model_name="bankitem",
            name="bank",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="items",
                to="assessment.questionbank",
            ),
        ),
        migrations.CreateModel(
            name="ResponseRevision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("sequence", models.PositiveBigIntegerField()),
                ("value", models.JSONField(null=True)),
                ("fault", models.CharField(blank=True, default="", max_length=50)),
                ("saved_at", models.DateTimeField()),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="assessment.assessmentresponse",
                    ),
                ),
            ],
            options={
                "db_table": "response_revisions",
            },
        ),
        migrations.CreateModel(
            name="ResultRelease",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("is_released", models.BooleanField()),
                ("reason", models.TextField(blank=True, default="")),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="assessment.assessmentattempt",
                    ),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohorts.cohort",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="releases",
                        to="assessment.assessmenttemplate",
                    ),
                ),
            ],
            options={
                "db_table": "result_releases",
            },
        ),
        migrations.CreateModel(
            name="Rubric",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rubrics",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "rubrics",
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="assessmentitem",
            name="rubric",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="items",
                to="assessment.rubric",
            ),
        ),
        migrations.CreateModel(
            name="RubricCriterion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                ("position", models.PositiveSmallIntegerField(default=1)),
                (
                    "rubric",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="criteria",
                        to="assessment.rubric",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rubric_criteria",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "rubric_criteria",
                "ordering": ["position", "key"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RubricLevel",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("key", models.SlugField(max_length=100)),
                ("title", models.CharField(max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "points",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=9,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=1)),
                (
                    "criterion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="levels",
                        to="assessment.rubriccriterion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rubric_levels",
                        to="assessment.assessmentversion",
                    ),
                ),
            ],
            options={
                "db_table": "rubric_levels",
                "ordering": ["position", "key"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AssessmentResult",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(
                        db_default=apps.core.models.ClockTimestamp(), editable=False
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("raw", models.DecimalField(decimal_places=6, max_digits=14)),
                ("penalty", models.DecimalField(decimal_places=6, max_digits=14)),
                ("override", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ("score", models.DecimalField(decimal_places=6, max_digits=14)),
                ("max_score", models.DecimalField(decimal_places=6, max_digits=14)),
                ("percent", models.DecimalField(decimal_places=4, max_digits=7)),
                ("passed", models.BooleanField()),
                ("is_final", models.BooleanField()),
                ("is_void", models.BooleanField()),
                ("facts", models.JSONField()),
                ("facts_hash", models.CharField(max_length=64)),
                ("engine_version", models.CharField(max_length=40)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="results",
                        to="assessment.assessmentattempt",
                    ),
                ),
            ],
            options={
                "db_table": "assessment_results",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("attempt", "revision"), name="assessmentresult_revision_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("score__gte", 0),
                            ("score__lte", models.F("max_score")),
                            ("raw__gte", 0),
                            ("raw__lte", models.F("max_score")),
                            ("penalty__gte", 0),
                            ("penalty__lte", models.F("raw")),
                            models.Q(
                                ("override", None), ("override", models.F("score")), _connector="OR"
                            ),
                        ),
                        name="assessmentresult_scores_within_maximum",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__gte", 0), ("percent__lte", 100)),
                        name="assessmentresult_percent_within_0_and_100",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("passed", False), ("is_final", True), _connector="OR"),
                        name="assessmentresult_only_a_final_one_passes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_final", False), ("is_void", False), _connector="OR"
                        ),
                        name="assessmentresult_a_void_one_is_not_final",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="assessmenttemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["quiz", "project", "exam"])),
                name="assessmenttemplate_type_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmenttemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("scoring_model__in", ["auto", "rubric", "manual", "mixed"])),
                name="assessmenttemplate_scoring_model_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="accommodation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("contact", "template"),
                name="accommodation_one_live_per_learner",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="accommodation",
            constraint=models.CheckConstraint(
                condition=models.Q(("time_multiplier__gte", 1), ("time_multiplier__lte", 10)),
                name="accommodation_multiplier_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="accommodation",
            constraint=models.CheckConstraint(
                condition=models.Q(("contact", models.F("granted_by")), _negated=True),
                name="accommodation_not_for_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.UniqueConstraint(
                fields=("definition", "number"), name="assessmentversion_number_once_per_definition"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "draft")),
                fields=("definition",),
                name="assessmentversion_one_draft_per_definition",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number", None), ("published_at", None), ("status", "draft")),
                    models.Q(
                        models.Q(("status", "draft"), _negated=True),
                        ("number__gte", 1),
                        ("published_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="assessmentversion_numbered_when_published",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.UniqueConstraint(
                fields=("id", "definition"), name="assessmentversion_id_and_definition"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("late_cap_percent__gte", 0),
                    ("late_cap_percent__lte", 100),
                    ("late_percent_per_day__gte", 0),
                    ("late_percent_per_day__lte", 100),
                    ("pass_percent__gte", 0),
                    ("pass_percent__lte", 100),
                ),
                name="assessmentversion_percents_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("percent_places__lte", 4)),
                name="assessmentversion_places_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("attempts_allowed", None), ("attempts_allowed__gte", 1), _connector="OR"
                    ),
                    models.Q(
                        ("time_limit_seconds", None),
                        ("time_limit_seconds__gte", 1),
                        _connector="OR",
                    ),
                ),
                name="assessmentversion_limits_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("release_policy__in", ["immediately", "after_due", "manual"]),
                    ("result_policy__in", ["highest", "latest", "first"]),
                ),
                name="assessmentversion_policies_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentresponse",
            constraint=models.UniqueConstraint(
                fields=("attempt", "item"), name="response_one_per_item"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("fault", ""), ("invalid_value__isnull", True)),
                    models.Q(
                        models.Q(("fault", ""), _negated=True), ("invalid_value__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="response_fault_keeps_its_value",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentplacement",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="assessmentplacement_key_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentplacement",
            constraint=models.UniqueConstraint(
                fields=("module_item",), name="placement_one_per_module_item"
            ),
        ),
        migrations.AddIndex(
            model_name="assessmentattempt",
            index=models.Index(
                condition=models.Q(("status", "in_progress")),
                fields=["accepts_until"],
                name="attempt_open_by_deadline",
            ),
        ),
        migrations.AddIndex(
            model_name="assessmentattempt",
            index=models.Index(fields=["template", "status"], name="attempt_by_template"),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "in_progress")),
                fields=("enrollment", "template"),
                name="attempt_one_open_per_learner",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.UniqueConstraint(
                fields=("enrollment", "template", "attempt_no"), name="attempt_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.UniqueConstraint(
                fields=("id", "contact"), name="attempt_id_and_contact"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.UniqueConstraint(
                fields=("id", "version"), name="attempt_id_and_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("attempt_no__gte", 1)), name="attempt_number_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("graded_at", None),
                        ("status", "in_progress"),
                        ("submitted_at", None),
                        ("voided_at", None),
                    ),
                    models.Q(
                        ("graded_at", None),
                        ("status", "submitted"),
                        ("submitted_at__isnull", False),
                        ("voided_at", None),
                    ),
                    models.Q(
                        ("graded_at__isnull", False),
                        ("status", "graded"),
                        ("submitted_at__isnull", False),
                        ("voided_at", None),
                    ),
                    models.Q(("status", "void"), ("voided_at__isnull", False)),
                    _connector="OR",
                ),
                name="attempt_status_has_its_times",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ends_at", None), ("accepts_until", None)),
                    models.Q(
                        ("accepts_until__gte", models.F("ends_at")),
                        ("accepts_until__isnull", False),
                        ("ends_at__gt", models.F("started_at")),
                    ),
                    _connector="OR",
                ),
                name="attempt_ends_after_it_starts",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentwindow",
            constraint=models.UniqueConstraint(
                fields=("cohort", "template"), name="window_one_per_cohort_and_template"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("due_at", None),
                        ("opens_at", None),
                        ("due_at__gt", models.F("opens_at")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("closes_at", None),
                        ("opens_at", None),
                        ("closes_at__gt", models.F("opens_at")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("closes_at", None),
                        ("due_at", None),
                        ("closes_at__gte", models.F("due_at")),
                        _connector="OR",
                    ),
                ),
                name="window_times_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentwindow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("attempts_allowed", None), ("attempts_allowed__gte", 1), _connector="OR"
                    ),
                    models.Q(
                        ("time_limit_seconds", None),
                        ("time_limit_seconds__gte", 1),
                        _connector="OR",
                    ),
                ),
                name="window_limits_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.UniqueConstraint(
                fields=("attempt", "item", "revision"),
                name="gradingevent_revision_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("item__isnull", False),
                        ("kind__in", ("auto", "regrade", "rescore", "manual", "rubric")),
                    ),
                    models.Q(
                        ("item", None), ("kind__in", ("override", "override_withdrawn", "void"))
                    ),
                    _connector="OR",
                ),
                name="gradingevent_kind_has_its_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("void", "override_withdrawn")), ("score", None)),
                    models.Q(
                        models.Q(("kind__in", ("void", "override_withdrawn")), _negated=True),
                        ("score__gte", 0),
                        ("score__isnull", False),
                        ("score__lte", models.F("max_score")),
                    ),
                    _connector="OR",
                ),
                name="gradingevent_score_within_maximum",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("grader", None), ("kind", "auto")),
                    models.Q(models.Q(("kind", "auto"), _negated=True), ("grader__isnull", False)),
                    _connector="OR",
                ),
                name="gradingevent_person_named",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("grader", None),
                    models.Q(("grader", models.F("contact")), _negated=True),
                    _connector="OR",
                ),
                name="gradingevent_not_ones_own_work",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ("auto", "regrade", "rescore", "manual", "rubric")),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="gradingevent_reason_given",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind__in", ("auto", "regrade", "rescore")), _negated=True),
                    models.Q(("engine_version", ""), _negated=True),
                    _connector="OR",
                ),
                name="gradingevent_engine_named",
            ),
        ),
        migrations.AddIndex(
            model_name="gradingtask",
            index=models.Index(
                condition=models.Q(("state", "open")), fields=["id"], name="gradingtask_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingtask",
            constraint=models.UniqueConstraint(
                fields=("attempt", "item"), name="gradingtask_one_per_item"
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingtask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("state", "open")),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("leased_by", None),
                        ("state__in", ("done", "cancelled")),
                    ),
                    _connector="OR",
                ),
                name="gradingtask_state_has_its_times",
            ),
        ),
        migrations.AddConstraint(
            model_name="gradingtask",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("leased_by", None), ("leased_until", None)),
                    models.Q(("leased_by__isnull", False), ("leased_until__isnull", False)),
                    _connector="OR",
                ),
                name="gradingtask_lease_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "multiple_choice",
                            "multiple_response",
                            "true_false",
                            "numeric",
                            "short_text",
                            "essay",
                        ],
                    )
                ),
                name="bankitem_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "scoring_rule__in",
                        [
                            "all_or_nothing",
                            "per_option_floor_zero",
                            "fractions",
                            "first_match",
                            "person",
                        ],
                    )
                ),
                name="bankitem_rule_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("graded_by", "person"),
                    models.Q(("graded_by", "engine"), models.Q(("kind", "essay"), _negated=True)),
                    _connector="OR",
                ),
                name="bankitem_essay_graded_by_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gte", 0), ("points__lte", Decimal("10000"))),
                name="bankitem_points_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.UniqueConstraint(
                fields=("bank", "key"), name="bankitem_key_once_per_bank"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("difficulty", None),
                    models.Q(("difficulty__gte", 1), ("difficulty__lte", 5)),
                    _connector="OR",
                ),
                name="bankitem_difficulty_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="responserevision",
            constraint=models.UniqueConstraint(
                fields=("response", "sequence"), name="responserevision_sequence_once"
            ),
        ),
        migrations.AddIndex(
            model_name="resultrelease",
            index=models.Index(fields=["template", "cohort"], name="resultrelease_by_cohort"),
        ),
        migrations.AddConstraint(
            model_name="resultrelease",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("attempt__isnull", False), ("cohort", None)),
                    models.Q(("attempt", None), ("cohort__isnull", False)),
                    _connector="OR",
                ),
                name="resultrelease_of_a_cohort_or_an_attempt",
            ),
        ),
        migrations.AddConstraint(
            model_name="rubric",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="rubric_key_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="rubric",
            constraint=models.UniqueConstraint(
                fields=("id", "version"), name="rubric_id_and_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="assessmentitem_key_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "multiple_choice",
                            "multiple_response",
                            "true_false",
                            "numeric",
                            "short_text",
                            "essay",
                        ],
                    )
                ),
                name="assessmentitem_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "scoring_rule__in",
                        [
                            "all_or_nothing",
                            "per_option_floor_zero",
                            "fractions",
                            "first_match",
                            "person",
                        ],
                    )
                ),
                name="assessmentitem_rule_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("graded_by", "person"),
                    models.Q(("graded_by", "engine"), models.Q(("kind", "essay"), _negated=True)),
                    _connector="OR",
                ),
                name="assessmentitem_essay_graded_by_a_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gte", 0), ("points__lte", Decimal("10000"))),
                name="assessmentitem_points_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessmentitem",
            constraint=models.UniqueConstraint(
                fields=("id", "version"), name="assessmentitem_id_and_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="rubriccriterion",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="rubriccriterion_key_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="rubriccriterion",
            constraint=models.UniqueConstraint(
                fields=("id", "version"), name="rubriccriterion_id_and_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="rubriclevel",
            constraint=models.UniqueConstraint(
                fields=("version", "key"), name="rubriclevel_key_once_per_version"
            ),
        ),
        migrations.AddConstraint(
            model_name="rubriclevel",
            constraint=models.CheckConstraint(
                condition=models.Q(("points__gte", 0)), name="rubriclevel_points_not_negative"
            ),
        ),
    ]
