//! What customers write: made-up sentences put together at random, with the untidiness of real ones.

use super::chance::Draws;
use super::places::plain;

/// What goes wrong in a message.
#[derive(Clone, Copy)]
pub enum Mischief {
    /// White space only.
    Blank,
    /// Double quotes inside.
    Quoted,
    /// A character beyond the basic multilingual plane.
    Emoji,
}

const GLAD: &[&str] = &[
    "Produto de ótima qualidade",
    "Chegou antes do prazo",
    "Adorei, já estou usando",
    "Muito bem embalado",
    "Recomendo a loja",
    "Atendeu às minhas expectativas",
    "Entrega rápida e sem avarias",
    "É exatamente como na foto",
    "Minha mãe gostou muito do presente",
    "Comprarei outras vezes, com certeza",
    "O acabamento é excelente",
    "Vendedor atencioso, respondeu tudo",
    "Ótimo custo-benefício",
    "Nota dez para a transportadora",
    "Não tenho do que reclamar",
    "Tudo certo com a encomenda, obrigada",
    "As cores são lindas",
    "Funcionou de primeira",
    "Parabéns pela organização",
    "Super prático, fácil de montar",
];
const MIXED: &[&str] = &[
    "O produto é bom, mas demorou",
    "Qualidade razoável pelo preço",
    "A caixa veio amassada, o resto está bem",
    "Esperava um tecido mais grosso",
    "Atrasou dois dias e ninguém avisou",
    "Falta um manual em português",
    "A cor não é bem a do anúncio",
    "Serve, porém é menor do que pensei",
    "Ainda não testei, depois conto",
    "Gostei do produto, não da entrega",
    "Veio sem nota fiscal",
    "Montagem difícil, peças sem numeração",
];
const CROSS: &[&str] = &[
    "Ainda não recebi o produto",
    "Comprei dois, chegou só um",
    "Veio com defeito e ninguém responde",
    "O prazo já passou há três semanas",
    "Quero meu dinheiro de volta",
    "Mandaram o modelo errado",
    "Péssimo atendimento, não recomendo",
    "A peça quebrou no primeiro uso",
    "O rastreamento está parado desde o início do mês",
    "Parece usado, com riscos e sem lacre",
    "Cancelei a compra e continuam cobrando",
    "Liguei várias vezes, sem solução",
    "Propaganda enganosa, o material é frágil",
    "Não foi entregue e consta como recebido",
    "Estou muito decepcionada com a loja",
    "Aguardo a troca até hoje",
];
const SHORT: [&[&str]; 3] = [
    &["Ótimo", "Excelente!", "Muito bom", "Perfeito", "Amei", "Recomendo", "bom", "Show"],
    &["Regular", "Mais ou menos", "Razoável", "ok", "Médio"],
    &["Péssimo", "Não recebi", "Não gostei", "Horrível", "Decepção", "Ruim"],
];
const TITLES: [&[&str]; 3] = [
    &[
        "Recomendo",
        "Super recomendo",
        "Ótimo produto",
        "Muito bom",
        "Excelente",
        "Entrega rápida",
        "Adorei",
        "Parabéns",
        "Satisfeita com a compra",
        "10",
        "Perfeito, como esperado",
    ],
    &["Bom, com ressalvas", "Regular", "Demorou um pouco", "Razoável", "Entrega atrasada", "Três estrelas"],
    &[
        "Não recomendo",
        "Produto errado",
        "Não recebi",
        "Péssimo",
        "Veio com defeito",
        "Atraso na entrega",
        "Decepcionada",
        "Cadê meu pedido?",
    ],
];
const QUOTED: [&str; 4] = [
    "O anúncio dizia \"original\" e não é",
    "Na caixa está escrito \"frágil\", mesmo assim veio bem",
    "A tela tem 15\", como prometido",
    "Disseram \"em até 5 dias\", e cumpriram",
];
const EMOJI: [&str; 8] = ["😍", "👏👏", "👍🏽", "🎁", "😡", "💙", "📦", "🇧🇷"];
const BLANK: [&str; 3] = [" ", "\r\n", "   "];
const PADDING: [&str; 6] = [" ", " ", " ", "  ", "\r\n", " \r\n"];

/// Which of the three lists speaks for a score.
fn mood(score: i64) -> usize {
    match score {
        4.. => 0,
        3 => 1,
        _ => 2,
    }
}

/// A title, or empty: one review in nine has one.
pub fn title(score: i64, draws: &mut Draws) -> String {
    if !draws.chance(1_150) {
        return String::new();
    }
    let text = *draws.pick(TITLES[mood(score)]);
    let text = hand(text, draws);
    if draws.chance(1_700) { text + " " } else { text }
}

/// A message, or empty; the fewer stars, the more is written.
pub fn message(score: i64, mischief: Option<Mischief>, draws: &mut Draws) -> String {
    let written = match score {
        5 => 3_600,
        4 => 3_200,
        3 => 4_600,
        2 => 6_900,
        _ => 7_500,
    };
    let silent = !draws.chance(written);
    match mischief {
        Some(Mischief::Blank) => return (*draws.pick(&BLANK)).to_owned(),
        None if silent => return String::new(),
        _ => {}
    }
    let mut text = sentences(score, draws);
    match mischief {
        Some(Mischief::Quoted) => text = format!("{}. {text}", draws.pick(&QUOTED)),
        Some(Mischief::Emoji) => text = format!("{text} {}", draws.pick(&EMOJI)),
        _ => {}
    }
    // The form took two hundred characters.
    let mut text: String = text.chars().take(200).collect();
    let margin = draws.between(0, 999);
    match margin {
        0..4 => text.insert(0, ' '),
        4..270 => text.push_str(draws.pick::<&str>(&PADDING)),
        _ => {}
    }
    text
}

fn sentences(score: i64, draws: &mut Draws) -> String {
    if draws.chance(1_400) {
        let text = *draws.pick(SHORT[mood(score)]);
        return hand(text, draws);
    }
    let phrases = [GLAD, MIXED, CROSS][mood(score)];
    let count = draws.weighted(&[(1, 24), (2, 28), (3, 22), (4, 12), (6, 14)], |(_, weight)| *weight).0;
    let joint = draws
        .weighted(
            &[(". ", 62), (", ", 15), ("\r\n", 8), (" ", 8), ("!! ", 5), (".\r\n\r\n", 1)],
            |(_, weight)| *weight,
        )
        .0;
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..count {
        let phrase = *draws.pick(phrases);
        if !chosen.contains(&phrase) {
            chosen.push(phrase);
        }
    }
    let end = *draws.pick(&["", "", ".", ".", "!", "..."]);
    hand(&(chosen.join(joint) + end), draws)
}

/// How somebody types: in capitals, without capitals, without accents, or properly.
fn hand(text: &str, draws: &mut Draws) -> String {
    let style = draws.between(0, 99);
    match style {
        0..4 => text.to_uppercase(),
        4..14 => text.to_lowercase(),
        14..26 => plain(text),
        _ => text.to_owned(),
    }
}
