"""What a new directory begins with: purposes and kinds of legal basis that every authority can change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapter.directory.content import BasisName, LegalBasisKind, Titles

DEFAULT_PURPOSES: Final[Mapping[str, Titles]] = MappingProxyType(
    {
        "public-service": {
            "en": "Providing a public service to the person who asked for it",
            "ru": "Оказание государственной услуги обратившемуся лицу",
            "uz": "Murojaat qilgan shaxsga davlat xizmatini koʻrsatish",
            "uz-Cyrl": "Мурожаат қилган шахсга давлат хизматини кўрсатиш",
        },
        "social-benefit": {
            "en": "Assigning a social benefit",
            "ru": "Назначение социального пособия",
            "uz": "Ijtimoiy nafaqa tayinlash",
            "uz-Cyrl": "Ижтимоий нафақа тайинлаш",
        },
        "registration-of-rights": {
            "en": "State registration of rights",
            "ru": "Государственная регистрация прав",
            "uz": "Huquqlarni davlat roʻyxatidan oʻtkazish",
            "uz-Cyrl": "Ҳуқуқларни давлат рўйхатидан ўтказиш",
        },
    }
)
DEFAULT_LEGAL_BASIS_KINDS: Final[Mapping[str, LegalBasisKind]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            LegalBasisKind(
                code="consent",
                titles={
                    "en": "Consent of the person concerned",
                    "ru": "Согласие субъекта данных",
                    "uz": "Maʼlumotlar subyektining roziligi",
                    "uz-Cyrl": "Маълумотлар субъектининг розилиги",
                },
                must_name=frozenset({BasisName.CONSENT}),
            ),
            LegalBasisKind(
                code="law",
                titles={
                    "en": "An obligation or a power under a law",
                    "ru": "Обязанность или полномочие по закону",
                    "uz": "Qonun boʻyicha majburiyat yoki vakolat",
                    "uz-Cyrl": "Қонун бўйича мажбурият ёки ваколат",
                },
            ),
            LegalBasisKind(
                code="contract",
                titles={
                    "en": "A contract with the person concerned",
                    "ru": "Договор с субъектом данных",
                    "uz": "Maʼlumotlar subyekti bilan shartnoma",
                    "uz-Cyrl": "Маълумотлар субъекти билан шартнома",
                },
                must_name=frozenset({BasisName.NUMBER, BasisName.DATE}),
            ),
            LegalBasisKind(
                code="vital-interest",
                titles={
                    "en": "Protection of somebody's life or health",
                    "ru": "Защита чьей-либо жизни или здоровья",
                    "uz": "Kimningdir hayoti yoki sogʻligʻini himoya qilish",
                    "uz-Cyrl": "Кимнингдир ҳаёти ёки соғлиғини ҳимоя қилиш",
                },
                must_name=frozenset({BasisName.ISSUE}),
            ),
            LegalBasisKind(
                code="court-order",
                titles={
                    "en": "A decision of a court",
                    "ru": "Решение суда",
                    "uz": "Sud qarori",
                    "uz-Cyrl": "Суд қарори",
                },
                must_name=frozenset({BasisName.COURT, BasisName.NUMBER, BasisName.DATE}),
            ),
            LegalBasisKind(
                code="public-task",
                titles={
                    "en": "A task in the public interest",
                    "ru": "Задача в общественных интересах",
                    "uz": "Jamoat manfaatlaridagi vazifa",
                    "uz-Cyrl": "Жамоат манфаатларидаги вазифа",
                },
                must_name=frozenset({BasisName.DOCUMENT}),
            ),
        )
    }
)
