"""Common names in both scripts, and places. A combination of them is nobody in particular."""

from __future__ import annotations

from typing import Final

Both = tuple[str, str]
"""A name in Latin script and in Cyrillic script."""


def _pairs(text: str) -> tuple[Both, ...]:
    return tuple((latin, cyrillic) for latin, _, cyrillic in (word.partition("/") for word in text.split()))


# Men's form; women's adds -a and -а.
SURNAMES: Final = _pairs(
    "Abdullayev/Абдуллаев Abdurahmonov/Абдураҳмонов Ahmedov/Аҳмедов Aliyev/Алиев Azimov/Азимов Boboyev/Бобоев "
    "Botirov/Ботиров Ergashev/Эргашев Eshmatov/Эшматов Fayziyev/Файзиев G‘aniyev/Ғаниев G‘ulomov/Ғуломов "
    "Hakimov/Ҳакимов Hamidov/Ҳамидов Hasanov/Ҳасанов Husanov/Ҳусанов Ibragimov/Ибрагимов Islomov/Исломов "
    "Ismoilov/Исмоилов Jalilov/Жалилов Jo‘rayev/Жўраев Karimov/Каримов Komilov/Комилов Mahmudov/Маҳмудов "
    "Mirzayev/Мирзаев Murodov/Муродов Nazarov/Назаров Normatov/Норматов Nurmatov/Нурматов Olimov/Олимов "
    "Ochilov/Очилов Po‘latov/Пўлатов Qodirov/Қодиров Qosimov/Қосимов Rahimov/Раҳимов Rasulov/Расулов "
    "Ro‘ziyev/Рўзиев Safarov/Сафаров Saidov/Саидов Salimov/Салимов Sharipov/Шарипов Sobirov/Собиров "
    "Sodiqov/Содиқов Sultonov/Султонов Toshmatov/Тошматов To‘xtayev/Тўхтаев Tursunov/Турсунов Umarov/Умаров "
    "Usmonov/Усмонов Xolmatov/Холматов Xudoyberdiyev/Худойбердиев Yo‘ldoshev/Йўлдошев Yusupov/Юсупов "
    "Zokirov/Зокиров Ziyayev/Зияев"
)

MEN: Final = _pairs(
    "Abdulla/Абдулла Akmal/Акмал Alisher/Алишер Anvar/Анвар Aziz/Азиз Bahodir/Баҳодир Baxtiyor/Бахтиёр "
    "Bekzod/Бекзод Botir/Ботир Davron/Даврон Dilshod/Дилшод Doniyor/Дониёр Eldor/Элдор Farhod/Фарҳод "
    "Farrux/Фаррух G‘ayrat/Ғайрат Hamid/Ҳамид Ibrohim/Иброҳим Ilhom/Илҳом Islom/Ислом Jahongir/Жаҳонгир "
    "Jamshid/Жамшид Jasur/Жасур Kamol/Камол Mansur/Мансур Murod/Мурод Muzaffar/Музаффар Nodir/Нодир "
    "Odil/Одил Otabek/Отабек Ravshan/Равшан Rustam/Рустам Sanjar/Санжар Sardor/Сардор Shavkat/Шавкат "
    "Sherzod/Шерзод Timur/Тимур Ulug‘bek/Улуғбек Umid/Умид Xurshid/Хуршид Yusuf/Юсуф Zafar/Зафар"
)

WOMEN: Final = _pairs(
    "Aziza/Азиза Barno/Барно Charos/Чарос Dildora/Дилдора Dilfuza/Дилфуза Dilnoza/Дилноза Feruza/Феруза "
    "Fotima/Фотима Gavhar/Гавҳар Gulchehra/Гулчеҳра Gulnora/Гулнора Guzal/Гузал Hilola/Ҳилола Iroda/Ирода "
    "Kamola/Камола Lobar/Лобар Lola/Лола Madina/Мадина Mahliyo/Маҳлиё Malika/Малика Munisa/Муниса "
    "Nargiza/Наргиза Nigora/Нигора Nilufar/Нилуфар Nodira/Нодира Oydin/Ойдин Ozoda/Озода Robiya/Робия "
    "Sabina/Сабина Saodat/Саодат Sevara/Севара Shahlo/Шаҳло Shahnoza/Шаҳноза Surayyo/Сурайё Umida/Умида "
    "Yulduz/Юлдуз Zarina/Зарина Ziyoda/Зиёда Zuhra/Зуҳра Zulfiya/Зулфия"
)

STREETS: Final = (
    "Alisher Navoiy", "Amir Temur", "Bobur", "Bog‘ishamol", "Bunyodkor", "Do‘stlik", "Furqat", "Guliston",
    "Istiqbol", "Lola", "Mustaqillik", "Nurafshon", "Oqtepa", "Paxtakor", "Sebzor", "Tinchlik", "Yangi hayot",
)  # fmt: skip

DISTRICTS: Final = (
    ("1703", "Andijon viloyati", (("1703202", "Oltinko‘l tumani"), ("1703401", "Andijon shahri"))),
    ("1706", "Buxoro viloyati", (("1706204", "Olot tumani"), ("1706401", "Buxoro shahri"))),
    ("1708", "Jizzax viloyati", (("1708201", "Arnasoy tumani"), ("1708401", "Jizzax shahri"))),
    ("1710", "Qashqadaryo viloyati", (("1710207", "G‘uzor tumani"), ("1710401", "Qarshi shahri"))),
    ("1712", "Navoiy viloyati", (("1712211", "Konimex tumani"), ("1712401", "Navoiy shahri"))),
    ("1714", "Namangan viloyati", (("1714204", "Mingbuloq tumani"), ("1714401", "Namangan shahri"))),
    ("1718", "Samarqand viloyati", (("1718203", "Oqdaryo tumani"), ("1718401", "Samarqand shahri"))),
    ("1722", "Surxondaryo viloyati", (("1722201", "Oltinsoy tumani"), ("1722401", "Termiz shahri"))),
    ("1724", "Sirdaryo viloyati", (("1724206", "Oqoltin tumani"), ("1724401", "Guliston shahri"))),
    ("1726", "Toshkent shahri", (("1726262", "Uchtepa tumani"), ("1726266", "Yunusobod tumani"))),
    ("1727", "Toshkent viloyati", (("1727206", "Oqqo‘rg‘on tumani"), ("1727401", "Nurafshon shahri"))),
    ("1730", "Farg‘ona viloyati", (("1730203", "Oltiariq tumani"), ("1730401", "Farg‘ona shahri"))),
    ("1733", "Xorazm viloyati", (("1733204", "Bog‘ot tumani"), ("1733401", "Urganch shahri"))),
    ("1735", "Qoraqalpog‘iston Respublikasi", (("1735204", "Amudaryo tumani"), ("1735401", "Nukus shahri"))),
)  # fmt: skip
